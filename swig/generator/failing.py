# SPDX-License-Identifier: MIT
"""How functions of Python end: what they return in each style, and the exceptions that
they raise. The words of the failures in a text tell which; a text that refers to another
function has the failures of that one, too.
"""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from itertools import zip_longest
from typing import Dict, Iterator, List, Tuple

from .interface import ROOT, Function, Interface, read_list
from .lua import LUA_RESULTS
from .python import PYTHON_RESULTS
from .text import items

# The names of the values of those results that Lua does not have.
PYTHON_NAMES = {
    "ps_filled": ("count", "nil, error, count"),
    "ps_fileno": ("fd", ""),
    "ps_itself": ("", ""),
    "ps_left_block": ("", ""),
}

# The order in which exceptions are named.
CLASSES = ("Timeout", "Closed", "Oversized", "Refused", "Unresolved", "Error")

REFERENCE = r"\b(?:as|those of|name for) (\w+)"


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


def raised_for() -> Dict[str, str]:
    """Returns the exception of each failure."""
    named = {
        words: re.sub(r"\(.*", "", shown)
        for shown, text in python_alone("errors.py")
        if text.startswith("The failure")
        for words in re.findall("'([^']+)'", " ".join(text.split()))
    }
    return {
        words: named.get(words, "Error")
        for _, _, words in read_list("errors.def", "PS_FAILURE")
    }


def names_of(kind: str) -> Tuple[List[str], List[str]]:
    """Returns the names of the values of success and failure, as in Lua."""
    success, failure = PYTHON_NAMES.get(kind) or LUA_RESULTS[kind]
    sides = [
        [item.partition(": ")[0] for item in items(its)] for its in (success, failure)
    ]
    return sides[0], [name for name in sides[1] if name != "nil"]


def tuples(kind: str) -> List[str]:
    """Returns the tuples of success and of failure, with names."""
    made = []
    for types, names in zip(map(items, PYTHON_RESULTS[kind]), names_of(kind)):
        left = iter(names)
        shown = ("None" if type == "None" else next(left) for type in types)
        made.append(f"({', '.join(shown)})")
    return made


def can_fail(function: Function) -> bool:
    return bool(PYTHON_RESULTS[function.result][1])


class Failing:
    """What the functions of an interface raise."""

    def __init__(self, interface: Interface) -> None:
        self._raised = raised_for()
        self._groups = [interface.functions]
        self._groups += [its.methods for its in interface.classes]

    def exceptions(self, function: Function) -> List[str]:
        """Returns the classes that a function raises, the base class last."""
        (group,) = (its for its in self._groups if function in its)
        found = {"Error"}
        done: List[Function] = []
        left = [function]
        while left:
            its = left.pop()
            done.append(its)
            text = " ".join(its.text.split())
            for words in re.findall(r"(?<!\w)'([^']+)'(?!\w)", text):
                found.add(self._raised.get(words, "Error"))
            for name in re.findall(REFERENCE, text):
                more = [one for one in group if one.name.replace("dns_", "") == name]
                left += [one for one in more if one not in done]
        return [name for name in CLASSES if name in found]

    def text(self, function: Function) -> str:
        """Returns the text of a function, with what editors show of its results."""
        if not can_fail(function):
            return function.text
        success, failure = tuples(function.result)
        bare = ", ".join(names_of(function.result)[0])
        returns = f"{bare}. In the style of tuples {success}, or {failure}."
        raises = f"{', '.join(self.exceptions(function))}: in exception style."
        return f"{function.text}\n\nReturns:\n{returns}\n\nRaises:\n{raises}"


def with_results(interface: Interface) -> Interface:
    """Returns the interface, whose texts end with results and exceptions."""
    failing = Failing(interface)

    def changed(functions: List[Function]) -> List[Function]:
        return [replace(its, text=failing.text(its)) for its in functions]

    return Interface(
        changed(interface.functions),
        [replace(its, methods=changed(its.methods)) for its in interface.classes],
    )
