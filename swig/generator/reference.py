# SPDX-License-Identifier: MIT
"""docs/reference.md: both languages, side by side."""

from __future__ import annotations

import ast
import re
from itertools import zip_longest
from string import Template
from typing import Dict, Iterable, Iterator, List, Tuple

from .interface import OPTIONS, ROOT, Class, Function, Interface, read_list
from .lua import LUA_ARGUMENTS, LUA_RESULTS, lua_alone, lua_results
from .python import (
    PYTHON_ARGUMENTS,
    PYTHON_RESULTS,
    base_text,
    python_parameters,
    python_result,
    raising_text,
)
from .text import HEAD, markdown, wrap

Methods = Dict[str, List[Function]]  # of each class, by its name

# What the reference calls an object of a class, if it is not the name of the class.
OWNERS = {"Socket": "object"}


def python_alone(file: str) -> Iterator[Tuple[str, str]]:
    """Yields what a file of the package makes public: how it is written, and its text."""
    source = (ROOT / "python" / "polysock" / file).read_text()
    public = ast.literal_eval(re.findall(r"__all__ = (\[[^]]*\])", source)[0])
    body = ast.parse(source).body
    for node, below in zip_longest(body, body[1:]):
        text = None
        if isinstance(node, ast.ClassDef):
            name, shown = node.name, f"({', '.join(map(ast.unparse, node.bases))})"
            text = ast.get_docstring(node)
        elif isinstance(node, ast.FunctionDef):
            name, shown = node.name, f"({ast.unparse(node.args)})"
            text = ast.get_docstring(node)
        elif isinstance(below, ast.Expr):
            name, shown = re.split(r"\W", ast.unparse(node))[0], ""
            text = ast.literal_eval(below.value)
        if text and name in public:
            yield name + shown, text


def table(rows: Iterable[Iterable[str]]) -> str:
    escaped = ([cell.replace("|", "\\|") for cell in row] for row in rows)
    return "\n".join(f"| {' | '.join(row)} |" for row in escaped)


def gives(kind: str) -> Tuple[str, str, str]:
    """Returns what a result is in Lua, in Python, and in Python's exception style."""

    def either(*sides: str) -> str:
        return " or ".join(f"`{side}`" for side in sides if side) or "nothing"

    success, failure = PYTHON_RESULTS[kind]
    raising = re.sub(r"^Raising", "", python_result(kind, True))
    raising = either(re.sub(r"^tuple\[(.*)\]$", r"(\1)", raising))
    python = either(f"({success})", f"({failure})") if failure else raising
    if kind not in LUA_RESULTS:
        return "–", python, raising
    lua = [", ".join(name for name, _ in side) for side in lua_results(kind)]
    return either(*lua), python, raising


def lua_call(function: Function) -> str:
    made = ""
    for name, type in function.arguments.items():
        comma = ", " if made else ""
        made += f" [{comma}{name}" if LUA_ARGUMENTS[type].endswith("?") else comma + name
    return f"({made.strip()}{']' * made.count('[')})"


def entry(function: Function, owner: str, in_lua: bool) -> str:
    """Writes what the reference says about one function."""
    lua, python, raising = gives(function.result)
    name = function.name.replace("dns_", "")
    parameters = python_parameters(function, PYTHON_ARGUMENTS)
    call = "" if function.variable else f"({', '.join(parameters)})"
    calls = f"{owner}.{name}{call}  # Python"
    results = f"Python gives {python}."
    if python != raising:
        results = f"Python gives {python}, in exception style {raising}."
    if in_lua:
        mark = "." if owner.startswith("polysock") else ":"
        calls = f"{owner}{mark}{name}{lua_call(function)}  -- Lua\n{calls}"
        results = f"Lua gives {lua}. {results}"
    text = wrap(markdown(function.text))
    return f"### {name}\n\n```\n{calls}\n```\n\n{text}\n\n{wrap(results)}"


def lone_entry(shown: str, text: str) -> str:
    name = re.sub(r"\(.*", "", shown.replace("polysock.", ""))
    call = f"```\n{shown}\n```\n\n" if "(" in shown else ""
    return f"### {name}\n\n{call}{wrap(markdown(text))}"


def python_order(its: Class, python: Interface) -> List[Function]:
    """Returns the methods of a class in Python: first those of Lua, in its order."""
    known = [method.name for method in its.methods]
    (other,) = (one for one in python.classes if one.name == its.name)
    found = [method for method in other.methods if not method.name.startswith("__")]
    return sorted(found, key=lambda method: [*known, method.name].index(method.name))


def class_entries(its: Class, methods: List[Function], owner: str) -> str:
    known = [method.name for method in its.methods]
    return "\n\n".join(entry(one, owner, one.name in known) for one in methods)


def callables(python: Interface, methods: Methods) -> List[Function]:
    return [*python.module, *python.names, *sum(methods.values(), [])]


def result_rows(functions: Iterable[Function]) -> Iterator[List[str]]:
    """Yields which functions share a result, and what it is."""
    sharing: Dict[Tuple[str, str, str], List[str]] = {}
    for function in functions:
        name = function.name.replace("dns_", "dns.")
        sharing.setdefault(gives(function.result), []).append(name)
    for result, names in sharing.items():
        yield [", ".join(dict.fromkeys(names)), *result]


def failure_rows() -> Iterator[List[str]]:
    """Yields the words of each failure, and the exception that it raises."""
    raised = {
        words: re.sub(r"\(.*", "", shown)
        for shown, text in python_alone("errors.py")
        if text.startswith("The failure")
        for words in re.findall("'([^']+)'", " ".join(text.split()))
    }
    for _, _, words in read_list("errors.def", "PS_FAILURE"):
        yield [words, raised.get(words, "Error")]


def misuse_items() -> Iterator[str]:
    misuses = [words for _, _, words in read_list("errors.def", "PS_MISUSE")]
    for words in dict.fromkeys(misuses):
        yield f"- `{words.replace('%s', '…')}`"


def option_rows() -> Iterator[List[str]]:
    for _, name, type, _, system in read_list("options.def", "PS_OPTION"):
        yield [name, *OPTIONS[type], "no" if type == "ERROR" else "yes", system]


def lua_entries() -> Iterator[str]:
    """Writes what Lua alone has."""
    for shown, comment in lua_alone():
        yield lone_entry(shown, "\n".join(re.findall(r"(?m)^--- (.*)", comment)))


def python_entries(classes: Iterable[Class]) -> Iterator[str]:
    """Writes what Python alone has."""
    alone = [*python_alone("__init__.py")]
    for its in classes:
        alone.append((f"Base{its.name}", base_text(its.name)))
        alone.append((f"Raising{its.name}", raising_text(its.name)))
    alone += [*python_alone("errors.py"), *python_alone("tries.py")]
    for shown, text in alone:
        yield lone_entry(f"polysock.{shown}", text)


def class_parts(lua: Interface, python: Interface, methods: Methods) -> Dict[str, str]:
    """Writes the text of each class and its methods."""
    made = {}
    for its in python.classes:
        made[f"{its.name.lower()}_text"] = wrap(markdown(its.text))
    for its in lua.classes:
        owner = OWNERS.get(its.name, its.name.lower())
        entries = class_entries(its, methods[its.name], owner)
        made[f"{its.name.lower()}_methods"] = entries
    return made


def reference(lua: Interface, python: Interface) -> str:
    methods = {its.name: python_order(its, python) for its in lua.classes}
    entries = {
        "module": (entry(its, "polysock", True) for its in python.module),
        "names": (entry(its, "polysock.dns", True) for its in python.names),
        "lua": lua_entries(),
        "python": python_entries(lua.classes),
    }
    return Template((ROOT / "swig" / "reference.md.in").read_text()).substitute(
        {name: "\n\n".join(made) for name, made in entries.items()},
        head=HEAD,
        **class_parts(lua, python, methods),
        results=table(result_rows(callables(python, methods))),
        failures=table(failure_rows()),
        misuses="\n".join(misuse_items()),
        options=table(option_rows()),
    )
