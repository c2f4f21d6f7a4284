# SPDX-License-Identifier: MIT
"""Many mutants in one build. A function gets a variant of its body for each mutant, and
the environment variable PS_MUTANT chooses one of them when the program starts:

    int f(void) {
      switch (PS_HERE(7)) {
        case 12: { ... } break;
        default: { ... }
      }
    }

So a mutant costs neither a compiler nor a linker. With PS_REACH, the name of a file, each
function and each statement that is reached sets its byte there: which tests can notice a
mutant is known before it is tried.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from mutants import Mutant, blank

PROBES = 1 << 15  # the size of the file that PS_REACH names, in bytes

PRELUDE = f"""/* How a function knows which of its bodies is meant; see schema.py. The
   names are its own, so that the source behind it may include what it likes. */
#ifndef PS_MUTATION
#define PS_MUTATION
#ifdef __cplusplus
extern "C" {{
#endif
char *ps__mutation_getenv(const char *) __asm__("getenv");
int ps__mutation_open(const char *, int, ...) __asm__("open");
void *ps__mutation_mmap(void *, unsigned long, int, int, int, long) __asm__("mmap");
static int ps__mutant;
static unsigned char ps__nowhere[{PROBES}];
static unsigned char *ps__reach = ps__nowhere;
__attribute__((constructor(101))) static void ps__mutation(void) {{
  const char *number = ps__mutation_getenv("PS_MUTANT");
  const char *file = ps__mutation_getenv("PS_REACH");
  while (number != 0 && *number != 0) ps__mutant = ps__mutant * 10 + *number++ - '0';
  if (file != 0) {{ /* read and write, shared */
    void *map = ps__mutation_mmap(0, {PROBES}, 3, 1, ps__mutation_open(file, 2), 0);
    if (map != (void *)-1) ps__reach = (unsigned char *)map;
  }}
}}
#ifdef __cplusplus
}}
#endif
#define PS_SEEN(probe) ((void)(ps__reach[probe] = 1))
#define PS_HERE(probe) (PS_SEEN(probe), ps__mutant)
#endif
"""

# --- the functions of a text ----------------------------------------------------------


@dataclass
class Function:
    name: str
    begin: int  # of the body, behind its brace
    end: int


_HEAD = re.compile(r"(\w+)\s*\([^()]*(?:\([^()]*\)[^()]*)*\)\s*$")


def functions(text: str) -> list[Function]:
    """Those that stand at the outermost level, in order."""
    out: list[Function] = []
    code = "\n".join(blank(text))
    depth, head, begin = 0, 0, -1
    for at in (hit.start() for hit in re.finditer(r"[{};]", code)):
        char = code[at]
        if char == "{":
            if depth == 0:
                before = code[head:at]
                function = "(" in before and "=" not in before
                begin = at + 1 if function else -1
                name = _HEAD.search(before) if function else None
            depth += 1
        elif char == "}":
            # A condition of the preprocessor may hide the brace that this one closes.
            if depth == 1 and begin >= 0:
                out.append(Function(name[1] if name else "", begin, at))
            depth = max(0, depth - 1)
            head = at + 1 if depth == 0 else head
        elif depth == 0:
            head = at + 1
    return out


# --- which statements are reached -------------------------------------------------------

_BEFORE = re.compile(r"[;{}:]$")  # what ends before a statement of a block
_NO_STATEMENT = re.compile(r"else\b|case\b|default\b|[}#]|\w+:")
_BLOCK = re.compile(
    r"(?s)(else|do|[:;{}]|(^|[;{}:]|\belse)\s*(if|while|switch|for)\b.*\))$"
)


def probes(body: str) -> tuple[list[int], list[int]]:
    """The lines of a function's body before which a probe may stand, and for each line
    the one whose probe tells that it is reached; -1: only the function tells."""
    places: list[int] = []
    tells: list[int] = []
    before, last = "{", -1
    blocks: list[bool] = []  # of each open brace: is it a block, or a list of something
    since = ""  # the code since the last statement of a block began
    for number, line in enumerate(blank(body)):
        code = line.strip()
        if code:
            inside = not all(blocks) or since.count("(") > since.count(")")
            begins = not inside and _BEFORE.search(before) is not None
            if begins and not _NO_STATEMENT.match(code):
                places.append(number)
                last = number
            elif begins or before == "else":
                last = -1
            before = code
        for char in f"{code} ":
            if char == "{":
                blocks.append(since.strip() == "" or bool(_BLOCK.search(since.strip())))
            elif char == "}" and blocks:
                blocks.pop()
            ends = char in "{}" or (char == ";" and since.count("(") <= since.count(")"))
            since = "" if ends else since + char
        tells.append(last)
    return places, tells


# --- writing the variants -------------------------------------------------------------


@dataclass
class Variants:
    """A text whose functions have variants; those with the same body are one."""

    path: Path
    text: str
    functions: list[Function] = field(init=False)
    bodies: dict[int, dict[int, str]] = field(default_factory=dict)  # function -> mutant
    lines: dict[int, int] = field(default_factory=dict)  # of a mutant, if it is in one
    found: dict[int, set[int]] = field(default_factory=dict)  # the probes of a mutant

    def __post_init__(self) -> None:
        self.functions = functions(self.text)

    def line(self, offset: int) -> int:
        return self.text.count("\n", 0, offset) + 1

    def add(self, number: int, changed: str, line: int = 0) -> bool:
        """The mutant of this number is the whole text, changed in functions only."""
        others = functions(changed)
        if len(others) != len(self.functions):
            return False
        where, place = 0, 0
        differing = []
        for index, (mine, its) in enumerate(zip(self.functions, others)):
            if self.text[where : mine.begin] != changed[place : its.begin]:
                return False
            if self.text[mine.begin : mine.end] != changed[its.begin : its.end]:
                differing.append((index, changed[its.begin : its.end]))
            where, place = mine.end, its.end
        if self.text[where:] != changed[place:] or not differing:
            return False
        for index, body in differing:
            self.bodies.setdefault(index, {})[number] = body
        self.lines[number] = line
        return True

    def write(self, first: int, dropped: set[int]) -> int:
        """Writes the file; its probes begin with `first`. Returns how many there are."""
        parts: list[str] = []
        where, free = 0, first
        self.found = {}
        for index, function in enumerate(self.functions):
            variants = {
                number: body
                for number, body in self.bodies.get(index, {}).items()
                if number not in dropped
            }
            if variants:
                parts.append(self.text[where : function.begin])
                free = self._function(parts, function, variants, free)
                where = function.end
        parts.append(self.text[where:])
        self.path.write_text("".join(parts), encoding="utf-8")
        return free - first

    def _function(
        self, parts: list[str], function: Function, variants: dict[int, str], free: int
    ) -> int:
        original = self.text[function.begin : function.end]
        labels = sorted(set(re.findall(r"(?m)^\s*(\w+):(?!:)", original)) - {"default"})
        own = f"__label__ {', '.join(labels)};" if labels else ""
        at = self.line(function.begin)
        parts.append(f"\nswitch (PS_HERE({free})) {{\n")
        same: dict[str, list[int]] = {}
        for number, body in variants.items():
            same.setdefault(body, []).append(number)
        for body, numbers in same.items():
            cases = " ".join(f"case {number}:" for number in numbers)
            name = "mutant-" + "-".join(str(number) for number in numbers)
            parts.append(f'{cases}\n{{ {own}\n#line {at} "{name}"\n{body}\n}} break;\n')
        places, tells = probes(original)
        lines = original.split("\n")
        for count, line in enumerate(places, 1):
            lines[line] = f"PS_SEEN({free + count}); {lines[line]}"
        body = "\n".join(lines)
        parts.append(f'default:\n{{ {own}\n#line {at} "{self.path}"\n{body}\n}}\n}}\n')
        parts.append(f'#line {self.line(function.end)} "{self.path}"\n')
        for number in variants:
            line = self.lines[number] - at
            tell = tells[line] if 0 <= line < len(tells) else -1
            probe = free + places.index(tell) + 1 if tell in places else free
            self.found.setdefault(number, set()).add(probe)
        return free + len(places) + 1


# --- one build ------------------------------------------------------------------------


def run(argv: list[str], cwd: Path) -> tuple[int, str]:
    process = subprocess.run(
        argv,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return process.returncode, process.stdout.decode("utf-8", "replace")


def _complaints(said: str) -> str:
    """What a build said, without its progress."""
    return "\n".join(line for line in said.splitlines() if line[:1] != "[")[:4000]


def generator(build: Path, language: str) -> list[str]:
    """The command that makes the wrapper of a language."""
    target = f"polysock_{language}_wrapper"
    _, said = run(["ninja", "-C", str(build), "-t", "commands", target], build)
    line = next(line for line in said.splitlines() if " -Werror " in line)
    return shlex.split(line.rpartition("cd ")[2].partition("&& ")[2])


def elsewhere(argv: list[str], tree: Path, folder: Path) -> list[str]:
    """The same command for a copy of the sources; its results go to that folder, too."""
    out = [word.replace(f"{tree}/", f"{folder}/") for word in argv]
    out[out.index("-o") + 1] = str(folder / Path(argv[argv.index("-o") + 1]).name)
    out[out.index("-outdir") + 1] = str(folder)
    return out


class Build:
    """A copy of the tree, built with the mutants; their numbers begin with 1."""

    def __init__(
        self, tree: Path, build: Path, mutants: list[Mutant], options: list[str]
    ):
        self.tree, self.build, self.mutants, self.options = tree, build, mutants, options
        self.invalid: dict[int, str] = {}  # does not compile: what the compiler said
        self.outside: set[int] = set()  # in no function
        self.reached_by: dict[int, set[int]] = {}  # the probes that tell of a mutant
        self.variants: list[Variants] = []

    def number(self, mutant: Mutant) -> int:
        return self.numbers[mutant.key]

    def make(self) -> None:
        self.numbers = {mutant.key: n for n, mutant in enumerate(self.mutants, 1)}
        self._sources()
        self._write()
        self._configure()
        self._wrappers()
        for _ in range(6):
            code, said = run(
                ["ninja", "-C", str(self.build), "-k", "0", "all"], self.tree
            )
            if code == 0:
                return
            lines = [line for line in said.splitlines() if "error:" in line]
            # One that declares a function by calling it is only in a note.
            for chosen in (lines, said.splitlines()):
                faults = {
                    int(number): line
                    for line in chosen
                    for name in re.findall(r"mutant-([\d-]+):", line)
                    for number in name.split("-")
                }
                if faults:
                    break
            if not set(faults) - set(self.invalid):
                break
            self.invalid.update(faults)
            self._write()
        raise SystemExit(f"mutate: the tree does not build:\n{_complaints(said)}")

    def _configure(self) -> None:
        prelude = self.build / "mutation.h"
        prelude.parent.mkdir(parents=True, exist_ok=True)
        prelude.write_text(PRELUDE, encoding="utf-8")
        flags = f"-O1 -w -include {prelude}"
        argv = ["cmake", "-S", str(self.tree), "-B", str(self.build), "-G", "Ninja"]
        argv += ["-DCMAKE_BUILD_TYPE=None", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"]
        argv += self.options
        argv += [f"-DCMAKE_C_FLAGS={flags}", f"-DCMAKE_CXX_FLAGS={flags} -fpermissive"]
        code, said = run(argv, self.tree)
        if code:
            raise SystemExit(f"mutate: the tree is not configured:\n{said[-4000:]}")

    def _sources(self) -> None:
        by_file: dict[str, list[Mutant]] = {}
        for mutant in self.mutants:
            by_file.setdefault(mutant.file, []).append(mutant)
        for name, items in by_file.items():
            if name.endswith(".i"):
                continue
            path = self.tree / name
            variants = Variants(path, path.read_text(encoding="utf-8"))
            self._add(variants, [(item, item.text) for item in items])

    def _add(self, variants: Variants, items: Iterable[tuple[Mutant, str]]) -> None:
        for item, text in items:
            line = 0 if item.file.endswith(".i") else item.line
            if not variants.add(self.number(item), text, line):
                self.outside.add(self.number(item))
        self.variants.append(variants)

    def _write(self) -> None:
        first = 0
        self.reached_by = {}
        for variants in self.variants:
            first += variants.write(first, set(self.invalid))
            for number, found in variants.found.items():
                self.reached_by.setdefault(number, set()).update(found)
        if first > PROBES:
            raise SystemExit(f"mutate: {first} probes do not fit into {PROBES}")

    def _wrappers(self) -> None:
        """The mutants of interface files: what the generator makes of each of them."""
        interface = [item for item in self.mutants if item.file.endswith(".i")]
        for language in sorted({item.file.split("/")[1] for item in interface}):
            run(
                ["ninja", "-C", str(self.build), f"polysock_{language}_wrapper"],
                self.tree,
            )
            argv = generator(self.build, language)
            wrapper = Path(argv[argv.index("-o") + 1])
            items = [item for item in interface if item.file.split("/")[1] == language]
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                texts = list(pool.map(self._generated, items, [argv] * len(items)))
            good = []
            for item, (text, said) in zip(items, texts):
                if text is None:
                    self.invalid[self.number(item)] = said
                else:
                    good.append((item, text))
            self._add(Variants(wrapper, wrapper.read_text(encoding="utf-8")), good)
        self._write()

    def _generated(self, mutant: Mutant, argv: list[str]) -> tuple[str | None, str]:
        folder = self.build / f"swig-{self.number(mutant)}"
        shutil.copytree(self.tree / "swig", folder / "swig")
        (folder / mutant.file).write_text(mutant.text, encoding="utf-8")
        own = elsewhere(argv, self.tree, folder)
        place = Path(own[own.index("-o") + 1])
        code, said = run(own, folder)
        text = place.read_text(encoding="utf-8") if code == 0 else None
        shutil.rmtree(folder)
        return text, said.strip()
