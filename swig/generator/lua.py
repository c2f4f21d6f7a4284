# SPDX-License-Identifier: MIT
"""The annotations of the Lua module, and how the types of the interface look in Lua."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import Iterator, List, Tuple

from .interface import OPTIONS, ROOT, TOKEN, Function, Interface, option_names
from .text import HEAD, items, markdown, wrap

# Those that may be absent have a question mark.
LUA_ARGUMENTS = {
    "ps_name": "string",
    "ps_optionname": "string",
    "ps_kindname": '"master"|"client"|"server"',
    "ps_localname": "string?",
    "ps_servicename": "string?",
    "ps_mode": "string?",
    "ps_port": "integer|string",
    "ps_localport": "integer|string?",
    "ps_duration": "number",
    "ps_seconds": "number?",
    "ps_moment": "number?",
    "ps_age": "number?",
    "ps_total": "integer?",
    "ps_first": "integer?",
    "ps_last": "integer?",
    "ps_backlog": "integer?",
    "ps_descriptor": "integer",
    "ps_maxsize": "integer?",
    "ps_pattern": "integer|string?",
    "ps_data": "string|number",
    "ps_prefix": "string|number?",
    "ps_option": "boolean|number|string|polysock.Linger",
    "ps_readables": "table|nil",
    "ps_writables": "table|nil",
    "ps_source": "polysock.Socket|polysock.Source",
    "ps_events": '"r"|"w"|"rw"',
    "ps_most": "integer?",
    TOKEN: "any?",
}

# What success gives, with names, and what failure gives.
LUA_RESULTS = {
    "ps_done": ("1: integer", "nil, error: string"),
    "ps_always": ("1: integer", ""),
    "ps_nothing": ("", ""),
    "ps_object": ("object: polysock.Socket", "nil, error: string"),
    "ps_bytes": ("data: string", "nil, error: string, partial: string"),
    "ps_lines": ("iterator: fun():string?", ""),
    "ps_sent": ("last: integer", "nil, error: string, last: integer"),
    "ps_address": ("ip: string, port: integer, family: string", "nil, error: string"),
    "ps_value": ("value: boolean|number|string|polysock.Linger", "nil, error: string"),
    "ps_stats": ("received: integer, sent: integer, age: number", ""),
    "ps_limits": ("block: number, total: number", ""),
    "ps_left": ("seconds: number?", ""),
    "ps_seconds": ("seconds: number", ""),
    "ps_wants": ('direction: "r"|"w"|nil', ""),
    "ps_yes": ("yes: boolean", ""),
    "ps_size": ("size: integer", ""),
    "ps_fd": ("fd: integer", ""),
    "ps_detached": ("fd: integer", "nil, error: string"),
    "ps_text": ("text: string", ""),
    "ps_ready": (
        "recvt: table, sendt: table",
        "recvt: table, sendt: table, error: string",
    ),
    "ps_hostname": ("name: string", "nil, error: string"),
    "ps_resolved": ("answer: string, host: polysock.Host", "nil, error: string"),
    "ps_addresses": ("addresses: polysock.Address[]", "nil, error: string"),
    "ps_names": ("names: string[], service: string?", "nil, error: string"),
    "ps_pollerobject": ("poller: polysock.Poller", "nil, error: string"),
    "ps_polled": ("ready: fun():any,string", "nil, error: string"),
}

LUA_HEADER = """\
-- SPDX-License-Identifier: MIT
-- {head}
-- What editors know about `require "polysock"`; it is never run.
-- luacheck: ignore
---@meta polysock

--- The value of option linger.
---@class polysock.Linger
---@field on boolean
---@field timeout number

--- What dns.toip and dns.tohostname know about a host.
---@class polysock.Host
---@field name string
---@field alias string[]
---@field ip string[]

--- One address of dns.getaddrinfo.
---@class polysock.Address
---@field family string
---@field addr string

--- What a poller takes besides sockets: an object with a descriptor, and dirty if it has
--- a buffer.
---@class polysock.Source
---@field getfd fun(self): integer
---@field dirty? fun(self): boolean

--- The names of options.
---@alias polysock.Option
"""


def lua_text(text: str) -> str:
    return wrap(markdown(text), "--- ").replace("\n\n", "\n---\n") + "\n"


def lua_results(kind: str) -> List[List[Tuple[str, str]]]:
    """Returns names and types of what success and failure give; nil has no type."""
    sides = [[item.partition(": ") for item in items(text)] for text in LUA_RESULTS[kind]]
    return [[(name, type) for name, _, type in side] for side in sides]


# What is said about the names of results.
DESCRIPTIONS = {
    "error": "the failure in words",
    "partial": "after a failure: prefix and what was received",
}


def lua_returns(kind: str) -> str:
    made = ""
    success, failure = lua_results(kind)
    for pair in zip_longest(success, failure or success, fillvalue=("nil", "")):
        types = "|".join(dict.fromkeys(type for _, type in pair if type))
        name = "_or_".join(dict.fromkeys(name for name, type in pair if type))
        mark = "?" if ("nil", "") in pair and not types.endswith("?") else ""
        text = f" # {DESCRIPTIONS[name]}" if name in DESCRIPTIONS else ""
        made += f"---@return {types}{mark} {name if name != '1' else 'one'}{text}\n"
    return made


def lua_function(function: Function, owner: str) -> str:
    types = dict(LUA_ARGUMENTS)
    if function.by_option:
        types["ps_optionname"] = "polysock.Option"
    made = "\n" + lua_text(function.text)
    for name, type in function.arguments.items():
        mark = "?" if types[type].endswith("?") else ""
        made += f"---@param {name}{mark} {types[type].rstrip('?')}\n"
    name = function.name.replace("dns_", "")
    made += lua_returns(function.result)
    return made + f"function {owner}{name}({', '.join(function.arguments)}) end\n"


def lua_class(name: str, owner: str, functions: List[Function]) -> str:
    made = f"---@class {name}\nlocal {owner[:-1]} = {{}}\n"
    return made + "".join(lua_function(function, owner) for function in functions) + "\n"


def lua_alone() -> Iterator[Tuple[str, str]]:
    """Yields what init.lua documents: how it is written, and its comment."""
    text = (ROOT / "lua" / "polysock" / "init.lua").read_text()
    pattern = r"((?:^---.*\n)+)(?:function )?(polysock\.\w+)"
    for comment, name in re.findall(pattern, text, re.MULTILINE):
        parameters = re.findall(r"^---@param ([^ ?]+)", comment, re.MULTILINE)
        yield name + (f"({', '.join(parameters)})" if parameters else ""), comment


def lua_meta(interface: Interface) -> str:
    made = LUA_HEADER.replace("{head}", HEAD)
    for option, (type, _) in OPTIONS.items():
        made += "".join(f"---| '\"{name}\"' # {type}\n" for name in option_names(option))
    made += "\n"
    for its in interface.classes:
        made += lua_text(its.text)
        made += lua_class(f"polysock.{its.name}", f"{its.name}:", its.methods)
    made += lua_class("polysock.dns", "dns.", interface.names)
    made += lua_class("polysock", "polysock.", interface.module) + "polysock.dns = dns\n"
    for shown, comment in lua_alone():
        made += f"\n{comment}" + (
            f"function {shown} end\n" if "(" in shown else f"{shown} = nil\n"
        )
    return made + "\nreturn polysock\n"
