# SPDX-License-Identifier: MIT
"""What the Python module is compiled with: all that is callable, with its signature and
text.
"""

from __future__ import annotations

from .interface import Function, Interface
from .python import PYTHON_ARGUMENTS, is_shared, python_parameters
from .text import HEAD, wrap

METHODS_HEADER = """\
/* SPDX-License-Identifier: MIT */
/* {head}
   What Python can call. PS_CLASS(text) is a class of the interface; PS_PROPERTY(class,
   name, text) an attribute; PS_SHARED(class, name, shape, names, text) a method that is
   the same in both styles; PS_STYLED(class, name, shape, names, text) another method;
   PS_FUNCTION(symbol, name, shape, names, text) a function. The shape says what is taken:
   NONE; ONE argument that is required; MANY; or ADDRESSED, which is MANY with a host and
   a port first. Whoever includes this defines OF_CLASS for the classes, or OF_MODULE for
   the functions, and those of the macros that are of use. */

"""
METHODS_MACROS = ("PS_CLASS", "PS_PROPERTY", "PS_SHARED", "PS_STYLED", "PS_FUNCTION")


def python_signature(function: Function, first: str) -> str:
    """Writes the parameters as inspect.signature reads them in a text."""
    made = [first]
    for parameter in python_parameters(function, PYTHON_ARGUMENTS):
        name, default = parameter.partition(": ")[0], parameter.partition(" = ")[2]
        made.append(f"{name}={default}" if default else name)
    return f"({', '.join(made)})"


def c_text(text: str) -> str:
    """Writes a string of C, a line of the text on each line."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return "\n".join(f'  "{line}"' for line in escaped.replace("\n", "\\n\n").split("\n"))


def c_entry(function: Function, macro: str, of: str, name: str, first: str) -> str:
    types = list(function.arguments.values())
    required = [type for type in types if " = " not in PYTHON_ARGUMENTS[type]]
    shape = "MANY"
    if not types:
        shape = "NONE"
    elif len(types) == len(required) == 1:
        shape = "ONE"
    elif types[:2] == ["ps_name", "ps_port"]:
        shape = "ADDRESSED"
    names = ", ".join(f'"{name}"' for name in function.arguments)
    text = name.strip('"') + python_signature(function, first) + "\n--\n\n"
    text += wrap(function.text)
    return f"{macro}({of}, {name}, {shape}, LIST({names}),\n{c_text(text)})\n"


def python_methods(interface: Interface) -> str:
    made = METHODS_HEADER.replace("{head}", HEAD)
    for macro in METHODS_MACROS:
        made += f"#ifndef {macro}\n#define {macro}(...)\n#endif\n"
    for its in interface.classes:
        made += f"\n#ifdef OF_{its.name.upper()}\n"
        made += f"PS_CLASS(\n{c_text(wrap(its.text))})\n"
        for method in its.methods:
            of, name = its.name, method.name
            macro = "PS_SHARED" if is_shared(method) else "PS_STYLED"
            if method.variable:
                made += f"PS_PROPERTY({of}, {name},\n{c_text(wrap(method.text))})\n"
            else:
                made += c_entry(method, macro, of, name, "$self")
        made += "#endif\n"
    made += "\n#ifdef OF_MODULE\n"
    for function in interface.functions:
        name = function.name.replace("dns_", "")
        made += c_entry(function, "PS_FUNCTION", function.name, f'"{name}"', "$module")
    made += "#endif\n\n#undef OF_MODULE\n"
    made += "".join(f"#undef OF_{its.name.upper()}\n" for its in interface.classes)
    return made + "".join(f"#undef {macro}\n" for macro in METHODS_MACROS)
