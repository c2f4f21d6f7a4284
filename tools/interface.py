#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the typed interface with the public header: each function of swig/polysock.i
has the result and the arguments that core/polysock.h gives it, and each type is the same.

SWIG believes the interface, and the compiler converts what differs without a word. Prints
each difference, and fails if there is one.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Tuple


class Prototype(NamedTuple):
    result: str
    arguments: Tuple[str, ...]  # their types

    def __str__(self) -> str:
        return f"{self.result} ({', '.join(self.arguments)})"


def code(path: Path) -> str:
    """Returns a file without comments, texts and lines of the preprocessor or of SWIG."""
    text = path.read_text()
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.DOTALL)
    text = re.sub(r"%\{.*?%\}", " ", text, flags=re.DOTALL)
    text = re.sub(r"(?m)^\s*#(?:[^\n]*\\\n)*[^\n]*$", " ", text)
    text = re.sub(r"\bPS_API\b", " ", text)
    text = re.sub(r'%feature\([^)]*\)\s*\w*|%extend|%\w+[^\n{"]*', " ", text)
    return re.sub(r'"(?:[^"\\]|\\.)*"\s*;?', ";", text)


def plain(type: str) -> str:
    """Returns a type in one way of writing, and an object without its const."""
    type = re.sub(r"\s*\*\s*", "*", " ".join(type.split()))
    return re.sub(r"^const (ps_\w+\*)$", r"\1", type)


def argument(text: str) -> str:
    """Returns the type of an argument, which may have a name."""
    text = " ".join(text.split())
    word = re.fullmatch(r"(.+?[\s*])(\w+)(\[\w*\])?", text)
    if word and word[2] not in {"char", "int", "long", "short", "double"}:
        text = word[1] + ("*" if word[3] else "")
    return plain(text)


def prototypes(text: str, owner: str = "") -> Iterator[Tuple[str, Prototype]]:
    pattern = (
        r"(?:^|[;{}])\s*((?:const\s+)?\w+(?:\s+\w+)*?[\s*]+)(\w+)\s*\(([^(){}]*)\)\s*;"
    )
    place = 0
    while True:
        found = re.compile(pattern).search(text, place)
        if not found:
            return
        place = found.end() - 1  # the semicolon begins the next one
        result, name, inside = found.groups()
        types = [argument(one) for one in inside.split(",") if one.strip()]
        types = [] if types == ["void"] else types
        if owner:
            name, types = f"{owner}_{name}", [f"{owner}*", *types]
        yield name, Prototype(plain(result), tuple(types))


def of_header(path: Path) -> Dict[str, Prototype]:
    made = dict(prototypes(re.sub(r'extern\s*;\s*\{|extern "C" \{', ";", code(path))))
    for name, other in re.findall(r"#define (ps_\w+) (ps_\w+)$", path.read_text(), re.M):
        if other in made:
            made[name] = made[other]
    return made


def of_interface(path: Path) -> Dict[str, Prototype]:
    """Returns the functions of the module, and those of each class: %extend CLASS { }."""
    extend = re.compile(r"^\s*(ps_\w+)\s*\{(.*?)^\}", re.DOTALL | re.MULTILINE)
    text = code(path)
    made = dict(prototypes(extend.sub(";", text)))
    for owner, inside in extend.findall(text):
        made.update(prototypes(";" + inside, owner))
    return made


def types(path: Path) -> Dict[str, str]:
    found = re.findall(r"typedef\s+([\w\s*]+?)(\w+)\s*;", code(path))
    return {name: plain(type) for type, name in found}


def differences(root: Path) -> Iterator[str]:
    header = root / "core" / "polysock.h"
    declared, known = of_header(header), types(header)
    interface = root / "swig" / "polysock.i"
    seen = of_interface(interface)
    text = interface.read_text()
    documented = text.count('%feature("docstring")') - len(
        re.findall(r"struct \w+ \{", text)
    )
    if len(seen) != documented:
        yield f"polysock.i documents {documented} functions, {len(seen)} were found"
    for name, its in seen.items():
        if name not in declared:
            yield f"{name} is in polysock.i and not in polysock.h"
        elif its != declared[name]:
            yield f"{name} is {its} in polysock.i and {declared[name]} in polysock.h"
    for name, type in types(root / "swig" / "kinds.i").items():
        if known.get(name) != type:
            yield f"{name} is {type} in kinds.i and {known.get(name)} in polysock.h"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--root", type=Path, default=Path(__file__).resolve().parent.parent
    )
    faults: List[str] = list(differences(parser.parse_args().root))
    print("".join(f"{fault}\n" for fault in faults), end="")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
