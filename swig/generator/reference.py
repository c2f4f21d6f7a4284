# SPDX-License-Identifier: MIT
"""The reference: docs/reference.md has what the languages share; docs/reference-lua.md
and docs/reference-python.md have each function as one language sees it, with its example.
"""

from __future__ import annotations

import re
from string import Template
from typing import Dict, Iterable, Iterator, List, Tuple

from .failing import Failing, can_fail, names_of, python_alone, raised_for, tuples
from .interface import OPTIONS, ROOT, Class, Function, Interface, read_list
from .lua import LUA_ARGUMENTS, LUA_RESULTS, lua_alone, lua_results
from .python import (
    PYTHON_ARGUMENTS,
    base_text,
    python_parameters,
    python_result,
    raising_text,
)
from .text import HEAD, markdown, wrap

# What the reference calls an object of a class, if it is not the name of the class.
OWNERS = {"Socket": "object"}

Examples = Dict[str, str]  # by heading


def read_examples(language: str) -> Examples:
    text = (ROOT / "swig" / "examples" / f"{language}.md").read_text()
    parts = re.split(r"(?m)^## (.*)\n", text)[1:]
    return {name: body.strip() for name, body in zip(parts[::2], parts[1::2])}


def table(rows: Iterable[Iterable[str]]) -> str:
    escaped = ([cell.replace("|", "\\|") for cell in row] for row in rows)
    return "\n".join(f"| {' | '.join(row)} |" for row in escaped)


def code(*sides: str) -> str:
    return " or ".join(f"`{side}`" for side in sides if side) or "nothing"


def lua_gives(kind: str) -> str:
    if kind not in LUA_RESULTS:
        return "–"
    return code(*(", ".join(name for name, _ in side) for side in lua_results(kind)))


def python_gives(kind: str) -> Tuple[str, str]:
    """Returns what a result is in the style of tuples, and in exception style."""
    bare = re.sub(r"^Raising", "", python_result(kind, True))
    bare = code(re.sub(r"^tuple\[(.*)\]$", r"(\1)", bare))
    fails = kind in LUA_RESULTS and LUA_RESULTS[kind][1] or kind == "ps_filled"
    return (code(*tuples(kind)) if fails else bare), bare


# ---- Lua


def lua_call(function: Function) -> str:
    made = ""
    for name, type in function.arguments.items():
        comma = ", " if made else ""
        made += f" [{comma}{name}" if LUA_ARGUMENTS[type].endswith("?") else comma + name
    return f"({made.strip()}{']' * made.count('[')})"


def shown(heading: str, call: str, text: str, results: str, example: str) -> str:
    """Writes what the reference says about one function."""
    parts = [f"### {heading}"]
    parts += [f"```\n{call}\n```"] if call else []
    parts += [wrap(markdown(text))]
    parts += [results] if results else []
    return "\n\n".join(parts + ([example] if example else []))


def lua_entry(function: Function, heading: str, examples: Examples) -> str:
    sides = [", ".join(name for name, _ in side) for side in lua_results(function.result)]
    results = f"**Returns** {code(sides[0])}"
    if sides[1]:
        results += f"; after a failure {code(sides[1])}"
    call = heading + lua_call(function)
    return shown(heading, call, function.text, results + ".", examples.pop(heading))


def lua_own(examples: Examples) -> Iterator[str]:
    """Writes what Lua alone has."""
    for call, comment in lua_alone():
        heading = re.sub(r"\(.*", "", call)
        text = "\n".join(re.findall(r"(?m)^--- (.*)", comment))
        call = call if "(" in call else ""
        yield shown(heading, call, text, "", examples.pop(heading, ""))


# ---- Python


def python_call(heading: str, parameters: List[str]) -> str:
    call = f"{heading}({', '.join(parameters)})"
    if len(call) <= 88:
        return call
    return f"{heading}(\n" + "".join(f"    {its},\n" for its in parameters) + ")"


def python_entry(
    function: Function, heading: str, examples: Examples, failing: Failing
) -> str:
    call = heading
    if not function.variable:
        call = python_call(heading, python_parameters(function, PYTHON_ARGUMENTS))
    bare = python_gives(function.result)[1]
    names = ", ".join(names_of(function.result)[0])
    results = f"**Returns** {'`1`' if names == '1' else bare}"
    if names not in ("", "1", "yes"):
        results = f"**Returns** `{names}` ({bare})"
    if can_fail(function):
        success, failure = tuples(function.result)
        classes = ", ".join(f"`{name}`" for name in failing.exceptions(function))
        results += f"; in the style of tuples `{success}`, after a failure `{failure}`"
        results += f".\n\n**Raises** in exception style: {classes}"
    results += "."
    return shown(heading, call, function.text, results, examples.pop(heading))


def python_own(classes: Iterable[Class], examples: Examples) -> Iterator[str]:
    """Writes what Python alone has."""
    alone = [*python_alone("__init__.py")]
    for its in classes:
        alone.append((f"Base{its.name}", base_text(its.name)))
        alone.append((f"Raising{its.name}", raising_text(its.name)))
    alone += [*python_alone("errors.py"), *python_alone("tries.py")]
    for name, text in alone:
        heading = "polysock." + re.sub(r"\(.*", "", name)
        call = f"polysock.{name}".replace("_StandardTimeout", "TimeoutError")
        call = call if "(" in call else ""
        yield shown(heading, call, text, "", examples.pop(heading, ""))


def python_order(its: Class, lua: Interface) -> List[Function]:
    """Returns the methods of a class in Python: first those of Lua, in its order."""
    (other,) = (one for one in lua.classes if one.name == its.name)
    known = [method.name for method in other.methods]
    found = [method for method in its.methods if not method.name.startswith("__")]
    return sorted(found, key=lambda method: [*known, method.name].index(method.name))


# ---- What they share


def result_rows(functions: Iterable[Function]) -> Iterator[List[str]]:
    """Yields which functions share a result, and what it is."""
    sharing: Dict[Tuple[str, ...], List[str]] = {}
    for function in functions:
        name = function.name.replace("dns_", "dns.")
        gives = (lua_gives(function.result), *python_gives(function.result))
        sharing.setdefault(gives, []).append(name)
    for result, names in sharing.items():
        yield [", ".join(dict.fromkeys(names)), *result]


def misuse_items() -> Iterator[str]:
    misuses = [words for _, _, words in read_list("errors.def", "PS_MISUSE")]
    for words in dict.fromkeys(misuses):
        yield f"- `{words.replace('%s', '…')}`"


def option_rows() -> Iterator[List[str]]:
    for _, name, type, _, system in read_list("options.def", "PS_OPTION"):
        yield [name, *OPTIONS[type], "no" if type == "ERROR" else "yes", system]


def page(name: str, **parts: str) -> str:
    template = Template((ROOT / "swig" / f"{name}.md.in").read_text())
    return template.substitute(head=HEAD, **parts)


def of_language(interface: Interface, other: Interface, language: str) -> str:
    """Writes the page of a language."""
    examples = read_examples(language)
    failing = Failing(interface)
    mark = ":" if language == "lua" else "."

    def entries(functions: Iterable[Function], owner: str) -> str:
        made = []
        for its in functions:
            heading = owner + its.name.replace("dns_", "")
            if heading not in examples:
                raise SystemExit(f"swig/examples/{language}.md lacks {heading}")
            if language == "lua":
                made.append(lua_entry(its, heading, examples))
            else:
                made.append(python_entry(its, heading, examples, failing))
        return "\n\n".join(made)

    parts = {
        "module": entries(interface.module, "polysock."),
        "names": entries(interface.names, "polysock.dns."),
    }
    for its in interface.classes:
        methods = its.methods if language == "lua" else python_order(its, other)
        owner = OWNERS.get(its.name, its.name.lower())
        parts[f"{its.name.lower()}_text"] = wrap(markdown(its.text))
        parts[f"{its.name.lower()}_methods"] = entries(methods, owner + mark)
    own = (
        lua_own(examples)
        if language == "lua"
        else python_own(interface.classes, examples)
    )
    parts["own"] = "\n\n".join(own)
    if examples:
        raise SystemExit(
            f"swig/examples/{language}.md: of what is {', '.join(examples)}?"
        )
    return page(f"reference-{language}", **parts)


def references(lua: Interface, python: Interface) -> Dict[str, str]:
    methods = [method for its in python.classes for method in python_order(its, lua)]
    return {
        "docs/reference.md": page(
            "reference",
            results=table(result_rows([*python.module, *python.names, *methods])),
            failures=table([words, name] for words, name in raised_for().items()),
            misuses="\n".join(misuse_items()),
            options=table(option_rows()),
        ),
        "docs/reference-lua.md": of_language(lua, python, "lua"),
        "docs/reference-python.md": of_language(python, lua, "python"),
    }
