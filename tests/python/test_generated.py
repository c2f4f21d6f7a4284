# SPDX-License-Identifier: MIT
"""The generated files: they equal what the interface generates, the types in them hold
for a type checker and at runtime, and nothing public lacks its text.

It never changes a file, and it judges the files of the work tree, not the installed ones.
"""

from __future__ import annotations

import ast
import inspect
import os
import pydoc
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, List

import polysock
import polysock.raising
import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "tests" / "python" / "typed_program.py"
EXAMPLES = sorted((ROOT / "python" / "examples").glob("*.py"))
PROGRAMS = [str(its) for its in (PROGRAM, *EXAMPLES)]
STUB = ROOT / "python" / "polysock" / "_core.pyi"

SWIGS = sorted({path for name in ("swig", "swig4.0") if (path := shutil.which(name))})


def check_types(*arguments: str) -> str:
    pytest.importorskip("mypy")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", *arguments],
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": str(ROOT / "python")},
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def read_docstrings(node: ast.AST) -> Dict[str, str]:
    """Returns the texts of what a module or a class of the stub defines, by name."""
    texts: Dict[str, str] = {}
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.ClassDef, ast.FunctionDef)):
            texts.setdefault(child.name, ast.get_docstring(child) or "")
    return texts


def read_class(name: str) -> Dict[str, str]:
    body = ast.parse(STUB.read_text()).body
    (found,) = (its for its in body if isinstance(its, ast.ClassDef) and its.name == name)
    return read_docstrings(found)


def run_stubs(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "swig" / "stubs.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the generator reads and writes, to be spoilt."""
    for folder in ("swig", "core", "lua", "python", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("swig", SWIGS)
def test_checked_in_files_are_what_is_generated(swig: str) -> None:
    done = run_stubs(ROOT, "--check", "--swig", swig)
    assert done.returncode == 0, done.stdout + done.stderr


def test_check_tells_what_differs(copy: Path) -> None:
    stub = copy / "python" / "polysock" / "_core.pyi"
    change(stub, "def receive(", "def recieve(")
    done = run_stubs(copy, "--check", "--swig", SWIGS[0])
    assert done.returncode == 1
    assert "-    def recieve(\n" in done.stdout and "+    def receive(\n" in done.stdout
    assert run_stubs(copy, "--swig", SWIGS[0]).returncode == 0
    assert stub.read_text() == STUB.read_text()


def test_unknown_type_is_an_error(copy: Path) -> None:
    change(copy / "swig" / "polysock.i", "ps_seconds ps_gettime", "ps_x ps_gettime")
    done = run_stubs(copy, "--swig", SWIGS[0])
    assert done.returncode != 0 and "ps_x" in done.stderr


def test_undocumented_function_is_an_error(copy: Path) -> None:
    interface = copy / "swig" / "polysock.i"
    change(
        interface, "struct ps_socket {};", "struct ps_socket {};\nps_yes ps_extra(void);"
    )
    done = run_stubs(copy, "--swig", SWIGS[0])
    assert done.returncode != 0 and "extra has no docstring" in done.stderr


def test_package_and_programs_pass_the_type_checker() -> None:
    assert check_types("-p", "polysock").startswith("Success")
    assert check_types(*PROGRAMS).startswith("Success")


@pytest.mark.skipif(sys.version_info < (3, 10), reason="mypy has forgotten Python 3.9")
def test_stub_is_what_there_is_at_runtime() -> None:
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy.stubtest", "polysock"]
    done = subprocess.run(
        command, cwd=ROOT / "tests", capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_types_pass_pyright() -> None:
    pytest.importorskip("pyright")
    tools = os.path.dirname(sys.executable)
    path = os.pathsep.join((tools, os.environ["PATH"]))  # it asks the first python there
    for arguments in (PROGRAMS, ["--verifytypes", "polysock"]):
        done = subprocess.run(
            [sys.executable, "-m", "pyright", *arguments],
            cwd=ROOT / "tests",
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(r"^0 errors|score: 100%", done.stdout, re.MULTILINE), done.stdout


def test_the_package_checks_itself() -> None:
    command = [sys.executable, "-W", "error", "-m", "polysock"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stderr == "", done.stdout + done.stderr
    assert re.search(r"(?m)^version: +\d+\.\d+\.\d+$", done.stdout)
    assert len(re.findall(r"(?m)^check \w+: +ok$", done.stdout)) == 4


def written(arguments: ast.arguments) -> List[str]:
    """Returns parameters and defaults of a function of the stub, without self."""
    named = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * len(named) + list(arguments.defaults)
    pairs = zip(named, defaults[-len(named) or len(defaults) :])
    return [
        its.arg if default is None else f"{its.arg}={ast.unparse(default)}"
        for its, default in pairs
        if its.arg != "self"
    ]


def test_signatures_are_those_of_the_stub() -> None:
    checked = 0

    def check(runtime: object, node: ast.FunctionDef) -> None:
        nonlocal checked
        signature = inspect.signature(runtime)  # type: ignore[arg-type]
        shown = [str(its) for its in signature.parameters.values() if its.name != "self"]
        assert shown == written(node.args), node.name
        checked += 1

    for node in ast.parse(STUB.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            check(getattr(polysock._core, node.name), node)
        if isinstance(node, ast.ClassDef) and node.name.endswith(("Socket", "Poller")):
            for method in node.body:
                if isinstance(method, ast.FunctionDef):
                    if method.name.startswith("__") or method.decorator_list:
                        continue
                    check(getattr(getattr(polysock, node.name), method.name), method)
    assert checked > 80
    signature = str(inspect.signature(polysock.Socket.receive))
    assert signature == "(self, /, pattern='*l', prefix=None, maxsize=None)"
    assert "connect(address, port, locaddr=None" in pydoc.plain(
        pydoc.render_doc(polysock.connect)
    )


def test_typed_program_runs() -> None:
    command = [sys.executable, "-W", "error", str(PROGRAM)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "typed program: done\n"), done.stderr
    assert done.stderr == ""


def test_typed_program_uses_everything_public() -> None:
    text = PROGRAM.read_text()
    classes = {**read_class("Socket"), **read_class("BasePoller"), **read_class("Poller")}
    methods = [name for name in classes if not name.startswith("__")]
    public = [*polysock.__all__, *polysock.raising.__all__, *polysock.dns.__all__]
    unused = {name for name in [*methods, *public] if not re.search(rf"\b{name}\b", text)}
    assert unused == set()


# Lines that a type checker has to refuse say by which error; it accepts the others.
JUDGED = """
from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing_extensions import assert_type
import polysock
from polysock import raising, dns, try_
if TYPE_CHECKING:
    from polysock._core import Host, Linger

def tuples(client: polysock.Socket, server: polysock.Socket, text: str) -> None:
    client.send("text")  # arg-type
    client.send(b"bytes", "1")  # arg-type
    client.receive("*l", "prefix")  # arg-type
    client.receive(patern="*l")  # call-arg
    client.receive(maxsize=5, pattern="*l")
    client.receive(b"*l")  # arg-type
    client.receiveuntil("|")  # arg-type
    client.receiveuntil()  # call-arg
    client.connect("localhost", 80.5)  # arg-type
    client.connect("localhost")  # call-arg
    client.bind(b"localhost", 80)  # arg-type
    client.settimeout("1")  # arg-type
    client.setoption("keepalive", "yes")  # call-overload
    client.setoption("linger", {"on": True})  # call-overload
    client.setoption("nonsense", True)  # call-overload
    client.setoption("error", "text")  # call-overload
    client.kind = "server"  # misc
    client.recieve()  # attr-defined
    polysock.bind("*", None)  # arg-type
    polysock.fromfd(3)  # call-arg
    polysock.select([client])  # call-arg
    polysock.gettime(1)  # call-arg
    polysock.VERSION + 1  # operator
    data, error, partial = client.receive()
    data.decode()  # union-attr
    line: bytes = data  # assignment
    made, words = polysock.tcp()
    made.close()  # union-attr
    ip, port, family = client.getpeername()
    number: int = port  # assignment
    assert_type(client.receive(), tuple[bytes, None, None] | tuple[None, str, bytes])
    assert_type(
        client.receiveinto(bytearray(1)),
        tuple[int, None, None] | tuple[None, str, int],
    )
    assert_type(client.getoption("linger"), tuple[Linger, None] | tuple[None, str])
    assert_type(
        client.getoption(text),
        tuple[bool | int | float | str | Linger | None, None] | tuple[None, str],
    )
    assert_type(server.accept(), tuple[polysock.Socket, None] | tuple[None, str])
    assert_type(client.lines(), Iterator[bytes])
    assert_type(polysock.select([client], None, 0)[0], list[polysock.Socket])
    assert_type(polysock.select([client], None, 0)[2], str | None)
    assert_type(dns.toip("x"), tuple[str, Host, None] | tuple[None, None, str])
    assert_type(try_(client.receive()), bytes)
    assert_type(try_(client.getoption("error")), str | None)
    result = client.send(b"")
    if result[0] is None:
        assert_type(result, tuple[None, str, int])
    with client as same:
        assert_type(same, polysock.Socket)
    for each in client:
        assert_type(each, bytes)

def either(client: polysock.BaseSocket) -> None:
    client.close()
    assert_type(list(client), list[bytes])
    client.receive()  # attr-defined
    if isinstance(client, raising.Socket):
        assert_type(client.receive(), bytes)

def bare(client: raising.Socket, server: raising.Socket, other: polysock.Socket) -> None:
    client.send("text")  # arg-type
    text: str = client.receive()  # assignment
    takes: polysock.Socket = client  # assignment
    raising.nonsense  # attr-defined
    assert_type(client.receive(), bytes)
    assert_type(client.send(b""), int)
    assert_type(client.getsockname(), tuple[str, int, str])
    assert_type(client.getoption("tcp-user-timeout"), float)
    assert_type(server.accept(), raising.Socket)
    assert_type(raising.connect("localhost", 80), raising.Socket)
    Both = list[polysock.BaseSocket]
    assert_type(raising.select([client], [other]), tuple[Both, Both])
    assert_type(raising.dns.getaddrinfo("localhost")[0]["addr"], str)
    assert_type(raising.dns.getnameinfo(None, "80"), tuple[list[str], str | None])

def work(address: str, count: int) -> bytes:
    return b""

assert_type(polysock.protect(work)("a", 1), tuple[bytes, None] | tuple[None, str])
polysock.protect(work)("a")  # call-arg
polysock.protect(1)  # arg-type
polysock.newtry(1)  # arg-type
"""


def test_type_checker_refuses_the_lines_that_say_so(tmp_path: Path) -> None:
    program = tmp_path / "judged.py"
    program.write_text(JUDGED)
    said = check_types("--python-version", "3.12", str(program))
    refused = dict(re.findall(r":(\d+): error: .*\[([a-z-]+)\]\n", said))
    lines = enumerate(JUDGED.splitlines(), 1)
    expected = {str(i): line.split("  # ")[1] for i, line in lines if "  # " in line}
    assert refused == expected, said


def squeeze(text: str) -> List[str]:
    return text.split()


def test_methods_have_the_text_of_the_interface() -> None:
    for name, text in read_class("Socket").items():
        if name not in ("__iter__", "__next__"):
            runtime = inspect.getdoc(getattr(polysock.Socket, name)) or ""
            assert squeeze(runtime) == squeeze(text) != [], name
            indented = re.sub(r"(?m)^(Returns|Raises):\n(    .*\n?)+", "", runtime)
            assert not re.search(r"(?m)^ ", indented), name


def test_functions_have_the_text_of_the_interface() -> None:
    texts = read_docstrings(ast.parse(STUB.read_text()))
    named = {f"dns_{name}": getattr(polysock.dns, name) for name in polysock.dns.__all__}
    for name in polysock.__all__:
        if name in texts:
            named[name] = getattr(polysock, name)
    assert len(named) > 15
    for name, function in named.items():
        assert squeeze(inspect.getdoc(function) or "") == squeeze(texts[name]) != [], name


def test_every_public_name_has_a_text() -> None:
    for module in (polysock, polysock.raising):
        assert module.__doc__
        for name in module.__all__:
            value = getattr(module, name)
            if callable(value) or inspect.ismodule(value):
                assert inspect.getdoc(value), name


def test_reference_and_annotations_name_everything() -> None:
    reference = (ROOT / "docs" / "reference.md").read_text()
    python = (ROOT / "docs" / "reference-python.md").read_text()
    lua = (ROOT / "docs" / "reference-lua.md").read_text()
    annotations = (ROOT / "lua" / "meta" / "polysock.lua").read_text()
    named = [f"polysock.{name}" for name in polysock.__all__]
    named += [f"polysock.dns.{name}" for name in polysock.dns.__all__]
    for name in read_class("Socket"):
        if not name.startswith("__"):
            named.append(f"object.{name}")
    for name in named:
        if name not in ("polysock.Socket", "polysock.Poller", "polysock.dns"):
            assert f"### {name}\n" in python, name
    for owner, mark, name in re.findall(r"function ([\w.]+)([.:])(\w+)\(", annotations):
        its = {"Socket": "object", "Poller": "poller", "dns": "polysock.dns"}.get(
            owner, owner
        )
        assert f"### {its}{mark}{name}\n" in lua, name
    only_python = ("kind", "fileno", "receiveinto")
    for name in read_class("Socket"):
        if not name.startswith("__"):
            assert (f"function Socket:{name}(" in annotations) == (
                name not in only_python
            )
    words = (ROOT / "core" / "errors.def").read_text()
    for failure in re.findall(r'PS_FAILURE\(\w+, \d+, "(.*)"\)', words):
        assert f"\n| {failure} | " in reference, failure
