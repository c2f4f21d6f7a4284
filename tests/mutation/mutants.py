# SPDX-License-Identifier: MIT
"""Mutants: small faults, one at a time, in the text of a source; and those among them
that change nothing which can be seen (equivalent.txt).

A mutant is one line changed. It is known by what is changed and not by the line: by its
function and by the smallest expression around the change. Nothing here builds or runs
anything.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

# --- making mutants -------------------------------------------------------------------


@dataclass(frozen=True)
class Mutant:
    file: str
    line: int
    before: str
    after: str
    kind: str
    place: str  # its function; in an interface file, the file and what is mapped
    change: str  # the smallest expression around it, before and after
    text: str = field(repr=False, compare=False)  # the whole file, changed
    around: str = field(repr=False, compare=False)  # its function, changed

    @property
    def key(self) -> str:
        """The verdict lasts as long as the function that it is about."""
        return hashlib.sha256(f"{self.file}\0{self.around}".encode()).hexdigest()[:16]


_TOKEN = re.compile(
    r"->|\+\+|--|<<|>>|[-+*/&|<>=!]=|&&|\|\||[-+*/<>=!&|~?]"
    r"|0x[0-9a-fA-F]+|\d+\.\d+|\d+|[A-Za-z_%$][\w.]*"
)
_SWAPS = {
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "==": "!=",
    "!=": "==",
    "&&": "||",
    "||": "&&",
    "+": "-",
    "-": "+",
    "*": "/",
    "/": "*",
    "&": "|",
    "|": "&",
    "+=": "-=",
    "-=": "+=",
    "*=": "/=",
    "++": "--",
    "--": "++",
}
_SPACED = set("+-*/&|")  # the formatter puts spaces around those with two operands
_NAMES = {
    "PS_OK": "PS_CLOSED",
    "PS_TIMEOUT": "PS_CLOSED",
    "PS_CLOSED": "PS_TIMEOUT",
    "PS_OVERSIZED": "PS_CLOSED",
    "PS_NOMEMORY": "PS_CLOSED",
    "PS_UNDECIDED": "PS_CLOSED",
    "PS_CONNECTED": "PS_CLOSED",
    "PS_BUFFERED": "PS_BUSY",
    "PS_INTERRUPTED": "PS_TIMEOUT",
    "PS_NONAME": "PS_FAIL",
    "PS_FLAG": "PS_NIL",
    "PS_NUMBER": "PS_NIL",
    "PS_TEXT": "PS_NIL",
    "PS_LINGER": "PS_NIL",
    "PS__RECEIVING": "PS__SENDING",
    "PS__SENDING": "PS__RECEIVING",
    "PS__SHARED": "PS__RECEIVING",
    "PS__MASTER": "PS__CLIENT",
    "PS__CLIENT": "PS__SERVER",
    "PS__SERVER": "PS__MASTER",
    "PS__ANY": "PS__CLIENT",
    "PS__READY": "PS__SIGNAL",
    "PS__SIGNAL": "PS__TIMEUP",
    "PS__TIMEUP": "PS__SIGNAL",
    "PS__NUMERIC": "0",
    "PS__NAMES": "0",
    "PS__PASSIVE": "0",
    "INFINITY": "0",
    "NAN": "0",
    "SIZE_MAX": "1",
    "fmin": "fmax",
    "fmax": "fmin",
    "block": "total",
    "total": "block",
    "received": "sent",
    "%optional": "%argument",
    "%argument": "%optional",
    "lua_pushinteger": "lua_pushnumber",
    "lua_pushnumber": "lua_pushinteger",
    "ps_lua_integer": "ps_lua_count",
    "ps_lua_count": "ps_lua_integer",
    "ps_lua_positive": "ps_lua_count",
    "ps_lua_given": "ps_lua_number",
    "ps_py_integer": "ps_py_count",
    "ps_py_count": "ps_py_integer",
    "ps_py_positive": "ps_py_count",
    "ps_py_given": "ps_py_number",
    "PyExc_TypeError": "PyExc_ValueError",
    "PyExc_ValueError": "PyExc_TypeError",
    "PyLong_FromLong": "PyBool_FromLong",
    "PyBool_FromLong": "PyLong_FromLong",
    "PyFloat_FromDouble": "PyLong_FromDouble",
    "Py_False": "Py_True",
    "arg1": "arg2",
    "items1": "items2",
}
_DECLARATION = re.compile(
    r"(static |const |unsigned |struct )*"
    r"(int|char|short|long|long long|double|void|size_t|unsigned|[a-z]\w*_t"
    r"|ps_\w+|Py\w+|lua_\w+|swig_\w+|place|want|wish)\s+\**\w+\s*([;=,\[]|\()"
)


_CPLUSPLUS = re.compile(r"(?ms)^#\s*ifdef __cplusplus$.*?^#\s*endif")


def blank(text: str) -> list[str]:
    """The lines of a source with comments, strings and preprocessor lines as spaces; and
    what is for C++ only, where one block opens a brace and another closes it."""
    text = _CPLUSPLUS.sub(lambda hit: re.sub(r"[^\n]", " ", hit[0]), text)
    index, end = 0, len(text)
    pattern = re.compile(
        r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
        r"|(?m:^[ \t]*#(?:[^\n]*\\\n)*[^\n]*)",
        re.S,
    )
    parts: list[str] = []
    while index < end:
        hit = pattern.search(text, index)
        if hit is None:
            parts.append(text[index:])
            break
        parts.append(text[index : hit.start()])
        parts.append("".join("\n" if char == "\n" else " " for char in hit[0]))
        index = hit.end()
    return "".join(parts).split("\n")


def bodies(lines: list[str]) -> list[str]:
    """The same with all that is outside of functions as spaces."""
    out, depth, function, head = [], 0, False, ""
    for line in lines:
        kept = []
        for char in line:
            if char == "{":
                if depth == 0:
                    function = "(" in head and "=" not in head
                depth += 1
                kept.append(" " if depth == 1 else char)
            elif char == "}":
                depth -= 1
                head = "" if depth == 0 else head
                kept.append(" " if depth == 0 else char)
            else:
                if depth == 0:
                    head = "" if char == ";" else head + char
                kept.append(char if depth > 0 and function else " ")
        out.append("".join(kept))
    return out


def interface(lines: list[str]) -> list[str]:
    """Of an interface file: the typemaps' code, and nothing that only declares."""
    out, inside = [], False
    for line in lines:
        bare = line.strip()
        if bare in ("%{", "%}", "%init %{"):
            inside = bare == "%{"
            out.append("")
            continue
        plain = inside or bare.startswith(("%feature", "%rename", "%extend", "%define"))
        plain = plain or bare.startswith(("ps_", "const ", "%enddef"))
        # For which types a typemap is: told to the generator, and not code.
        head = re.match(r"\s*%typemap\([^{\"]*", line)
        blanks = " " * len(head[0]) if head else ""
        out.append("" if plain else blanks + line[len(blanks) :])
    return out


def _closing(code: str, start: int) -> int:
    """Where the parenthesis that opens at start is closed; -1: not in this line."""
    depth = 0
    for index in range(start, len(code)):
        depth += (code[index] == "(") - (code[index] == ")")
        if depth == 0:
            return index
    return -1


def _branches(code: str, start: int) -> tuple[int, int] | None:
    """Where the `:` and the end of the conditional operator at start are, in its line."""
    depth, nested, colon = 0, 0, -1
    for index in range(start + 1, len(code)):
        char = code[index]
        depth += (char in "([{") - (char in ")]}")
        if char == "?":
            nested += 1
        elif char == ":" and depth == 0:
            if nested == 0 and colon < 0:
                colon = index
            else:
                nested -= 1
        if colon > 0 and (depth < 0 or (depth == 0 and char in ",;")):
            return colon, index
    return None


@dataclass(frozen=True)
class Edit:
    """What a mutant does to a line: the text from begin to end becomes `by`."""

    kind: str
    begin: int
    end: int
    by: str


def edits(code: str, line: str) -> list[Edit]:
    """All that can be done to one line."""
    out: list[Edit] = []

    def put(kind: str, begin: int, end: int, by: str) -> None:
        if line[begin:end] != by:
            out.append(Edit(kind, begin, end, by))

    for hit in _TOKEN.finditer(code):
        token, begin, end = hit[0], hit.start(), hit.end()
        around = code[begin - 1 : begin] + code[end : end + 1]
        if token in _SWAPS and (token not in _SPACED or around == "  "):
            put("operator", begin, end, _SWAPS[token])
        elif token in ("!", "~") and around[1:] != " ":
            put("negation", begin, end, "")
        elif token == "?":
            place = _branches(code, begin)
            if place:
                colon, stop = place
                first, second = line[begin + 1 : colon], line[colon + 1 : stop]
                swapped = f"? {second.strip()} : {first.strip()}"
                put("branches", begin, stop, swapped)
        elif token[0].isdigit():
            if "." in token or "x" in token:
                put("constant", begin, end, f"({token} * 2)")
            else:
                by = {"0": "1", "1": "0"}.get(token, str(int(token) + 1))
                # A comparison with 0 is mutated by its operator.
                if not re.search(r"[!=]= ?$", code[:begin]):
                    put("constant", begin, end, by)
        elif token in _NAMES:
            put("name", begin, end, _NAMES[token])
        elif "." in token:
            member = token.split(".")
            if member[-1] in ("block", "total", "received", "sent"):
                by = {"sent": "received"}.get(member[-1]) or _NAMES[member[-1]]
                put("name", begin, end, ".".join([*member[:-1], by]))
            elif member[0] in _NAMES:
                put("name", begin, end, ".".join([_NAMES[member[0]], *member[1:]]))
        elif token in ("if", "while"):
            opens = code.find("(", end)
            closes = _closing(code, opens) if opens >= 0 else -1
            simple = re.findall(r"[!=]=|&&|\|\|| [<>]=? |!", code[opens:closes])
            if closes > 0 and simple not in (["=="], ["!="], ["!"]):
                put("condition", opens, closes + 1, f"(!{line[opens : closes + 1]})")
    bare = code.strip()
    whole = bare.endswith(";") and bare.count("(") == bare.count(")")
    word = re.match(r"[\w*(]+", bare)
    if whole and word and not _DECLARATION.match(bare):
        starts = re.match(r"return|else|case|for|do\b|while|default|typedef", bare)
        stands = bare.startswith(("if (", "*", "break", "continue"))
        acts = re.match(r"[\w>.\[\]*-]+ ([-+*|&]?=)[^=]|[\w>.-]+\(", bare)
        if not starts and (stands or acts):
            begin = len(code) - len(code.lstrip())
            put("dropped", begin, len(code.rstrip()), ";")
    return out


# --- what a mutant is known by

_STOP = re.compile(r"[,;{}?]|:(?!:)|&&|\|\||(?<![=!<>])=(?= )|\breturn\b")


def _run(code: str, begin: int, end: int) -> tuple[int, int]:
    """The operands around a token: up to the next comma, bracket or weaker operator."""
    depth, first = 0, 0
    stops = {hit.start(): hit.end() for hit in _STOP.finditer(code)}
    ends = {stop: start for start, stop in stops.items()}
    for at in range(begin, 0, -1):
        char = code[at - 1]
        depth += (char in ")]") - (char in "([")
        if depth < 0 or (depth == 0 and at in ends and ends[at] != begin):
            first = at
            break
    depth, last = 0, len(code)
    for at in range(end, len(code)):
        depth += (code[at] in "([") - (code[at] in ")]")
        if depth < 0 or (depth == 0 and at in stops):
            last = at
            break
    return first, last


def _enclosing(code: str, begin: int) -> str:
    """Whose list a lone token is in (a call or an initializer), and its place there."""
    depth, place = 0, 1
    for at in range(begin - 1, -1, -1):
        char = code[at]
        if depth == 0 and char in "({":
            before = re.search(r"(\w+)\W*$", code[:at])
            what = "argument" if char == "(" else "item"
            return f"{what} {place} of {before[1] if before else char}"
        if depth == 0 and char == ";":
            return ""
        depth += (char in ")}]") - (char in "({[")
        place += char == "," and depth == 0
    return ""


def change(code: str, text: str, base: int, edit: Edit) -> str:
    """Before and after of the smallest expression around an edit; `code` is `text`
    without comments and strings, and the edit begins at `base` in both."""

    def plain(part: str) -> str:
        return " ".join(part.split())

    begin, end = base + edit.begin, base + edit.end
    was = plain(text[begin:end])
    if edit.kind == "dropped":
        short = re.match(r"if \(|[^=(]+(?=\()|.*?[-+*|&]?=(?= )|\w+", was)
        if was.startswith("if ("):
            closes = _closing(was, 3)
            return f"{was[: closes + 1]} … => nothing"
        return f"{plain(short[0]) if short else was} … => nothing"
    if edit.kind == "condition":
        return f"{was} => not {was}"
    first, last = _run(code, begin, end)
    if edit.kind == "branches":
        return f"{plain(text[first:begin])} ? … => its branches swapped"
    before = plain(text[first:last])
    if before != was:
        return f"{before} => {plain(text[first:begin] + edit.by + text[end:last])}"
    around = _enclosing(code, begin)
    if around:
        return f"{around}, {was} => {edit.by}"
    starts = max(code.rfind(char, 0, begin) for char in ";{}") + 1
    left = plain(text[starts:begin])
    return f"{left} {was} => {left} {edit.by}"


_TYPEMAP = re.compile(r"%typemap\((\w+)[^)]*\)\s*([^{\"$]*?)\s*(?:\([^)]*\))?\s*[{\"]")


def place_of(name: str, lines: list[str], number: int) -> str:
    """The function that a line is in; for an interface file its typemap or macro."""
    for line in reversed(lines[: number + 1]):
        if name.endswith(".i"):
            hit = _TYPEMAP.match(line)
            if hit:
                return f"{name} {hit[1]} {hit[2]}".strip()
            hit = re.match(r"%define\s+(%?\w+)", line)
            if hit:
                return f"{name} {hit[1]}"
            if line.startswith("%") and not line.startswith(("%typemap", "%enddef")):
                return name
        else:
            hit = re.match(r"[a-z_][\w \t*]*?\b(\w+)\(", line)
            if hit:
                return hit[1]
    return name


def mutants(root: Path, name: str) -> list[Mutant]:
    text = (root / name).read_text(encoding="utf-8")
    lines = text.split("\n")
    blanked = blank(text)
    codes = interface(blanked) if name.endswith(".i") else bodies(blanked)
    ends = [number for number, item in enumerate(lines) if item.startswith("}")]
    out: dict[tuple[int, str], Mutant] = {}
    base, whole = 0, "\n".join(blanked)
    for number, (code, line) in enumerate(zip(codes, lines)):
        # In an interface file a line is all that belongs together.
        around_it = (code, line, 0) if name.endswith(".i") else (whole, text, base)
        for edit in edits(code, line):
            changed = line[: edit.begin] + edit.by + line[edit.end :]
            all_lines = [*lines[:number], changed, *lines[number + 1 :]]
            first = max([end for end in ends if end < number], default=0)
            last = min([end for end in ends if end >= number], default=len(lines))
            around = "\n".join(all_lines[first : last + 1])
            mutant = Mutant(
                name,
                number + 1,
                line.strip(),
                changed.strip(),
                edit.kind,
                place_of(name, lines, number),
                change(*around_it, edit),
                "\n".join(all_lines),
                around,
            )
            out.setdefault((number, changed), mutant)
        base += len(line) + 1
    return list(out.values())


# --- those that are none --------------------------------------------------------------


@dataclass
class Excuse:
    place: str
    change: str
    which: int  # of the mutants that read alike, from 1; 0: all of them
    count: int  # how many there are
    reason: str
    line: int
    found: int = 0


_EXCUSE = re.compile(r"(.+?): (.+? => .+?)(?: \[(?:(\d+) of )?(\d+)\])?$")


def read_excuses(path: Path) -> list[Excuse]:
    """Blocks of two lines or more: `place: before => after`, with `[2]` or `[1 of 2]`
    behind it where two read alike, then the reason; `#` begins a comment."""
    out: list[Excuse] = []
    block: list[str] = []
    first = 0
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for number, line in enumerate([*lines, ""], 1):
        if line.strip() and not line.startswith("#"):
            first = first if block else number
            block.append(line.strip())
        elif block:
            hit = _EXCUSE.match(block[0])
            if not hit or len(block) < 2:
                raise SystemExit(f"{path}:{first}: wants place: before => after, reason")
            which, count = int(hit[3] or 0), int(hit[4] or 1)
            out.append(Excuse(hit[1], hit[2], which, count, " ".join(block[1:]), first))
            block = []
    return out


def excuse(found: list[Mutant], excuses: list[Excuse]) -> dict[str, str]:
    """The reasons of those that are excused, by key; counts what each excuse fits."""
    alike: dict[tuple[str, str], list[Mutant]] = {}
    for mutant in sorted(found, key=lambda item: (item.file, item.line)):
        alike.setdefault((mutant.place, mutant.change), []).append(mutant)
    out: dict[str, str] = {}
    for item in excuses:
        fitting = alike.get((item.place, item.change), [])
        item.found = len(fitting)
        if item.which:
            fitting = fitting[item.which - 1 : item.which]
        out.update({mutant.key: item.reason for mutant in fitting})
    return out
