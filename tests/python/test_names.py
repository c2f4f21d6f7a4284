# SPDX-License-Identifier: MIT
"""Names and texts of the system that are not UTF-8: as in the standard library their odd
bytes become surrogates, and no exception is in the way of another.

A preloaded library plays the system.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict

import polysock
import pytest
from conftest import Child
from polysock import raising

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="preloads a library")


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, str]:
    """The environment of a process whose system has odd names."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    source = Path(__file__).with_name("odd_names.c")
    library = tmp_path_factory.mktemp("preload") / "odd_names.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True
    )
    return {**os.environ, "LD_PRELOAD": str(library), "LC_ALL": "C.UTF-8"}


def test_names_become_surrogates(odd: Dict[str, str]) -> None:
    with Child(
        """
name = "h\\udcf6st.test"
dns = polysock.dns
say(dns.gethostname() == (name, None), socket.gethostname() == name)
answer, host, error = dns.tohostname("127.0.0.1")
say(answer == name, host["name"] == name)
say(dns.getnameinfo("127.0.0.1", "80") == ([name], "s\\udce9rvice", None))
say(dns.toip("plain.test")[1]["name"] == name, dns.toip("plain.test")[2])
say(raising.dns.tohostname("127.0.0.1")[0] == name)
say(raising.dns.getnameinfo("127.0.0.1", None) == ([name], None))
""",
        env=odd,
    ) as child:
        for answer in ("True True", "True True", "True", "True None", "True", "True"):
            assert child.hear() == answer
        child.end()


def test_a_system_without_a_name(odd: Dict[str, str]) -> None:
    with Child(
        """
import errno
say(polysock.dns.gethostname() == (None, "Fehler \\udca7"))
try:
    raising.dns.gethostname()
except polysock.Error as error:
    say(error.errno == errno.ENODEV)
""",
        env={**odd, "NAMELESS": "1"},
    ) as child:
        assert child.hear() == child.hear() == "True"
        child.end()


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs /proc")
@pytest.mark.parametrize(
    ("call", "answer"),
    [
        ("toip('plain.test')[1]['alias']", ["plain.test"]),
        ("getnameinfo('127.0.0.1')[0]", ["h\udcf6st.test"]),
        ("getaddrinfo('plain.test')[0][0]['addr']", "127.0.0.1"),
    ],
)
def test_the_memory_of_lists_comes_back(
    odd: Dict[str, str], call: str, answer: Any
) -> None:
    with Child(
        f"""
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
say(polysock.dns.{call} == {answer!a})
def grown():
    before = resident()
    for _ in range(2000):
        polysock.dns.{call}
    return resident() - before
say(any(grown() < 256 << 10 for _ in range(6)))  # each call would keep 256 bytes
""",
        env=odd,
    ) as child:
        assert child.hear() == "True"
        assert child.hear() == "True"
        child.end()


def test_texts_of_the_system_become_surrogates(odd: Dict[str, str]) -> None:
    with Child(
        """
words = "Fehler \\udca7"
say(polysock.fromfd(2**31 - 1, "client") == (None, words))
for call in (
    lambda: raising.fromfd(2**31 - 1, "client"),
    lambda: polysock.try_(polysock.fromfd(2**31 - 1, "client")),
):
    try:
        call()
    except polysock.Error as error:
        say(str(error) == error.error == words, error.errno, ascii(repr(error)) != "")
server = raising.bind("127.0.0.1", 0)
device = server.getoption("bindtodevice")
say(device == "eth\\udcff", server.setoption("bindtodevice", device))
try:
    server.setoption("bindtodevice", "eth0")
except polysock.Error as error:
    say(error.error == words)
""",
        env=odd,
    ) as child:
        assert child.hear() == "True"
        for _ in range(2):
            assert child.hear() == "True 18 True"
        assert child.hear() == "True 1"
        assert child.hear() == "True"
        child.end()


@pytest.mark.parametrize(
    "name", ["h\u00f6st.invalid", "\u65e5\u672c.invalid", "h\udcf6st"]
)
def test_names_are_in_ascii(name: str) -> None:
    """The resolver would get bytes whose meaning depends on the system."""
    with raising.tcp() as master:
        for call in (
            lambda: polysock.connect(name, 80),
            lambda: polysock.bind(name, 0),
            lambda: master.connect(name, 80),
            lambda: polysock.dns.toip(name),
            lambda: raising.dns.getaddrinfo(name),
        ):
            with pytest.raises(ValueError, match=r"\(address: name in ASCII expected\)"):
                call()


@pytest.mark.parametrize("size", range(180, 260))
def test_words_of_misuse_may_end_within_a_character(size: int) -> None:
    with raising.tcp4() as master:
        with pytest.raises(ValueError, match="unsupported option") as caught:
            master.getoption("x" * size + "\u65e5\u672c" * 30)
        assert str(caught.value).startswith("bad argument #1 to 'getoption'")
