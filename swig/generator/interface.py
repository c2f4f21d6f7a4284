# SPDX-License-Identifier: MIT
"""Reads polysock.i, as ``swig -xml`` does, and the lists of the core."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterable, Iterator, List

ROOT = Path(__file__).resolve().parents[2]

# The type of any value of the language.
TOKEN = "p.void"

# The types of options.def, in Lua and in Python. Only an error is not settable.
OPTIONS = {
    "FLAG": ("boolean", "bool"),
    "INTEGER": ("integer", "int"),
    "SECONDS": ("number", "float"),
    "TEXT": ("string", "str"),
    "LINGER": ("polysock.Linger", "Linger"),
    "ERROR": ("string?", "str | None"),
}

# The constants of the modules are made of these.
PRIVATE = ("version", "setsize")


@dataclass(frozen=True)
class Function:
    name: str
    text: str
    result: str  # its kind
    arguments: Dict[str, str]  # their types by name
    variable: bool

    @property
    def in_dns(self) -> bool:
        return self.name.startswith("dns_")

    @property
    def takes_option(self) -> bool:
        return "ps_option" in self.arguments.values()

    @property
    def by_option(self) -> bool:
        """Does the name of an option tell the type of a value?"""
        return self.takes_option or self.result == "ps_value"


@dataclass(frozen=True)
class Class:
    name: str
    text: str
    methods: List[Function]


@dataclass(frozen=True)
class Interface:
    functions: List[Function]
    classes: List[Class]

    @property
    def names(self) -> List[Function]:
        return [function for function in self.functions if function.in_dns]

    @property
    def module(self) -> List[Function]:
        hidden = [*self.names, *(its for its in self.functions if its.name in PRIVATE)]
        return [function for function in self.functions if function not in hidden]


def attributes(node: ET.Element) -> Dict[str, str]:
    found = node.findall("attributelist/attribute")
    return {item.attrib["name"]: item.attrib["value"] for item in found}


def read_functions(nodes: Iterable[ET.Element]) -> Iterator[Function]:
    for node in nodes:
        values = attributes(node)
        name, kind = values["sym_name"], values["kind"]
        if kind not in ("function", "variable") or name == "__tostring":
            continue
        if "feature_docstring" not in values:
            sys.exit(f"{name} has no docstring")
        parameters = map(attributes, node.findall("attributelist/parmlist/parm"))
        yield Function(
            name,
            values["feature_docstring"].strip(),
            values["type"].replace("q(const).", ""),
            {
                its["name"]: its["type"]
                for its in parameters
                if its.get("name", "host") != "host"
            },
            kind == "variable",
        )


def read_interface(swig: str, language: str) -> Interface:
    folder = ROOT / "swig"
    with tempfile.TemporaryDirectory() as scratch:
        output = f"{scratch}/core.xml"
        paths = [f"-I{folder / language}", f"-I{folder}"]
        command = [swig, "-xml", *paths, "-o", output, str(folder / "polysock.i")]
        subprocess.run(command, check=True)
        tree = ET.parse(output).getroot()
    classes, inside = [], []
    for node in tree.iter("class"):
        values = attributes(node)
        members = list(node.iter("cdecl"))
        inside += members
        name, text = values["sym_name"], values["feature_docstring"].strip()
        classes.append(Class(name, text, list(read_functions(members))))
    outside = [node for node in tree.iter("cdecl") if node not in inside]
    return Interface(list(read_functions(outside)), classes)


def read_list(file: str, macro: str) -> List[List[str]]:
    """Returns the entries of one of the .def files of the core."""
    text = (ROOT / "core" / file).read_text()
    entries = re.findall(rf"^{macro}\((.*)\)$", text, re.MULTILINE)
    return list(csv.reader(entries, skipinitialspace=True))


def option_names(type: str) -> List[str]:
    options = read_list("options.def", "PS_OPTION")
    return [name for _, name, its_type, *_ in options if its_type == type]
