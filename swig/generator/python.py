# SPDX-License-Identifier: MIT
"""The stub of the Python module, and how the types of the interface look in Python."""

from __future__ import annotations

import re
from dataclasses import replace
from types import MappingProxyType
from typing import Dict, List, Mapping, Tuple

from .interface import OPTIONS, TOKEN, Class, Function, Interface, option_names
from .text import HEAD, WIDTH, items, wrap

PYTHON_VALUE = "bool | int | float | str | Linger"

# Those that may be absent have a default.
PYTHON_ARGUMENTS = {
    "ps_name": "str",
    "ps_optionname": "str",
    "ps_kindname": 'Literal["master", "client", "server"]',
    "ps_localname": "str | None = None",
    "ps_servicename": "str | None = None",
    "ps_mode": "str | None = None",
    "ps_port": "int | str",
    "ps_localport": "int | str | None = None",
    "ps_duration": "float",
    "ps_seconds": "float | None = None",
    "ps_moment": "float | None = None",
    "ps_age": "float | None = None",
    "ps_total": "int | None = None",
    "ps_first": "int | None = 1",
    "ps_last": "int | None = -1",
    "ps_backlog": "int | None = 32",
    "ps_descriptor": "int",
    "ps_maxsize": "int | None = None",
    "ps_pattern": 'str | int | None = "*l"',
    "ps_data": "Buffer",
    "ps_prefix": "Buffer | None = None",
    "ps_room": "Buffer",
    "ps_option": PYTHON_VALUE,
    "ps_readables": "Iterable[_T] | None",
    "ps_writables": "Iterable[_T] | None",
    "ps_anything": "object",
    "ps_source": "HasGetfd | HasFileno",
    "ps_events": 'Literal["r", "w", "rw"]',
    "ps_most": "int | None = None",
    TOKEN: "object = None",
}

# What success gives, and what failure gives.
PYTHON_RESULTS = {
    "ps_done": ("int, None", "None, str"),
    "ps_always": ("int", ""),
    "ps_nothing": ("None", ""),
    "ps_object": ("Socket, None", "None, str"),
    "ps_itself": ("Self", ""),
    "ps_bytes": ("bytes, None, None", "None, str, bytes"),
    "ps_lines": ("Iterator[bytes]", ""),
    "ps_sent": ("int, None, None", "None, str, int"),
    "ps_filled": ("int, None, None", "None, str, int"),
    "ps_address": ("str, int, str", "None, str, None"),
    "ps_value": (PYTHON_VALUE + " | None, None", "None, str"),
    "ps_stats": ("tuple[int, int, float]", ""),
    "ps_limits": ("tuple[float, float]", ""),
    "ps_left": ("float | None", ""),
    "ps_seconds": ("float", ""),
    "ps_wants": ('Literal["r", "w"] | None', ""),
    "ps_yes": ("bool", ""),
    "ps_size": ("int", ""),
    "ps_fd": ("int", ""),
    "ps_fileno": ("int", ""),
    "ps_detached": ("int, None", "None, str"),
    "ps_text": ("str", ""),
    "ps_left_block": ("Literal[False]", ""),
    "ps_ready": ("list[_T], list[_T], None", "list[_T], list[_T], str"),
    "ps_hostname": ("str, None", "None, str"),
    "ps_resolved": ("str, Host, None", "None, None, str"),
    "ps_addresses": ("list[Address], None", "None, str"),
    "ps_names": ("list[str], str | None, None", "None, None, str"),
    "ps_pollerobject": ("Poller, None", "None, str"),
    "ps_polled": ('list[tuple[Any, Literal["r", "w", "rw"]]], None', "None, str"),
}


# Protocols of Python that are no functions of the interface: parameters, result, text.
# Those of all classes, and those of one.
Slots = Mapping[str, Tuple[List[str], str, str]]
PYTHON_SLOTS: Slots = {
    "__reduce__": ([], "NoReturn", "Raises TypeError."),
    "__reduce_ex__": (["protocol: SupportsIndex", "/"], "NoReturn", "Raises TypeError."),
}
PYTHON_OWN_SLOTS: Dict[str, Slots] = {
    "Socket": {
        "__iter__": ([], "Self", "Gives the client itself."),
        "__next__": ([], "bytes", "Gives the next line."),
    },
}

PYTHON_HEADER = '''\
# SPDX-License-Identifier: MIT
# {head}
"""The types of the compiled module; the package beside it is what to import."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import (
    Any,
    Literal,
    NoReturn,
    Protocol,
    SupportsIndex,
    TypedDict,
    TypeVar,
    overload,
    type_check_only,
)

from typing_extensions import Buffer, Self, TypeAlias, disjoint_base

from .errors import Error

_T = TypeVar("_T")

@type_check_only
class Linger(TypedDict):
    """The value of option linger."""

    on: bool
    timeout: float

@type_check_only
class Host(TypedDict):
    """What dns.toip and dns.tohostname know about a host."""

    name: str
    alias: list[str]
    ip: list[str]

@type_check_only
class Address(TypedDict):
    """One address of dns.getaddrinfo."""

    family: str
    addr: str

@type_check_only
class HasGetfd(Protocol):
    """What a poller takes: an object with a descriptor, and dirty if it buffers."""

    def getfd(self) -> int:
        """Gives the descriptor."""

@type_check_only
class HasFileno(Protocol):
    """The same, as Python's own files and sockets are."""

    def fileno(self) -> int:
        """Gives the descriptor."""

def failure(error: str, value: object = None, /) -> Error:
    """Makes the exception of what a tuple says: its words, and its partial or last."""

def _mark(socket: RaisingSocket, bits: int, /) -> None:
    """Sets the mark of a raising socket, for polysock.aio."""

def _pieces(
    lines: Iterator[bytes], wait: Callable[[], Awaitable[bytes]], /
) -> AsyncIterator[bytes]:
    """Makes an asynchronous iterator of what lines() gave, for polysock.aio."""

'''


def base_text(name: str) -> str:
    return f"The base class of the {name.lower()}s of both styles."


def raising_text(name: str) -> str:
    return f"A {name} whose failures are exceptions."


def python_text(text: str, indent: str) -> str:
    body = wrap('"""' + text, indent, WIDTH - len('"""'))
    return body + (f"\n{indent}" if "\n" in body else "") + '"""\n'


def is_shared(method: Function) -> bool:
    """Is a method the same in both styles, since it cannot fail?"""
    return not PYTHON_RESULTS[method.result][1]


def python_result(kind: str, raising: bool) -> str:
    success, failure = map(items, PYTHON_RESULTS[kind])
    if failure and not raising:
        return f"tuple[{', '.join(success)}] | tuple[{', '.join(failure)}]"
    while failure and len(success) > 1 and success[-1] == "None":
        success.pop()
    bare = success[0] if len(success) == 1 else f"tuple[{', '.join(success)}]"
    return re.sub(r"^(Socket|Poller)$", r"Raising\1", bare) if raising else bare


def python_parameters(function: Function, types: Dict[str, str]) -> List[str]:
    return [f"{name}: {types[type]}" for name, type in function.arguments.items()]


def python_variants(function: Function, result: str) -> List[Tuple[List[str], str]]:
    """Returns the parameters and the result of each way to call a function: one, or where
    the name of an option tells the type of its value, one for each type."""
    plain = [(python_parameters(function, PYTHON_ARGUMENTS), result)]
    if not function.by_option:
        return plain
    made = []
    for option, (_, type) in OPTIONS.items():
        types = {"ps_optionname": f"_{option.title()}Option", "ps_option": type}
        parameters = python_parameters(function, {**PYTHON_ARGUMENTS, **types})
        made.append((parameters, result.replace(f"{PYTHON_VALUE} | None", type)))
    return made[:-1] if function.takes_option else made + plain  # the last is the error


def python_def(indent: str, name: str, parameters: List[str], result: str) -> str:
    line = f"{indent}def {name}({', '.join(parameters)}) -> {result}:"
    if len(line) > WIDTH - len(" ..."):
        inside = "".join(f"{indent}    {parameter},\n" for parameter in parameters)
        line = f"{indent}def {name}(\n{inside}{indent}) -> {result}:"
    return line


def python_function(function: Function, indent: str, mark: str, raising: bool) -> str:
    """Writes a function behind its mark, a decorator or else the name of the object."""
    variants = python_variants(function, python_result(function.result, raising))
    marks = [mark] if mark.startswith("@") else []
    marks += ["@property"] * function.variable + ["@overload"] * (len(variants) > 1)
    this = ["self"] if mark == "self" else []
    made = "\n"
    for i, (parameters, result) in enumerate(variants):
        made += "".join(f"{indent}{its}\n" for its in marks)
        made += python_def(indent, function.name, this + parameters, result)
        made += " ...\n" if i else "\n" + python_text(function.text, indent + "    ")
    return made


def python_class(
    head: str,
    text: str,
    methods: List[Function],
    raising: bool = False,
    slots: Slots = MappingProxyType({}),
) -> str:
    made = f"class {head}:\n" + python_text(text, "    ")
    for method in methods:
        made += python_function(method, "    ", "self", raising)
    for name, (parameters, result, text) in slots.items():
        made += f"\n{python_def('    ', name, ['self', *parameters], result)}\n"
        made += python_text(text, "        ")
    return made


def python_classes(its: Class) -> str:
    """Writes a class of the interface: what both styles share, and one for each."""
    shared = [method for method in its.methods if is_shared(method)]
    styled = [method for method in its.methods if not is_shared(method)]
    slots = {**PYTHON_OWN_SLOTS.get(its.name, {}), **PYTHON_SLOTS}
    base, raising = f"Base{its.name}", f"Raising{its.name}"
    return "\n".join(
        [
            "\n@disjoint_base",
            python_class(base, base_text(its.name), shared, slots=slots),
            python_class(f"{its.name}({base})", its.text, styled),
            python_class(f"{raising}({base})", raising_text(its.name), styled, True),
        ]
    )


def python_stub(interface: Interface) -> str:
    made = PYTHON_HEADER.replace("{head}", HEAD)
    for option in OPTIONS:
        names = [f'"{name}"' for name in option_names(option)]
        line = f"_{option.title()}Option: TypeAlias = Literal[{', '.join(names)}]"
        if len(line) > WIDTH:
            inside = "".join(f"    {name},\n" for name in names)
            line = f"_{option.title()}Option: TypeAlias = Literal[\n{inside}]"
        made += line + "\n"
    for its in interface.classes:
        made += python_classes(its)
    for function in interface.functions:
        made += python_function(function, "", "", False)
    for function in interface.functions:
        made += python_function(
            replace(function, name=f"raising_{function.name}"), "", "", True
        )
    return made.replace("...\n\n    ", "...\n    ")
