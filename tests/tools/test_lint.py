# SPDX-License-Identifier: MIT
"""The checks of the lint see what they are there for: each is shown a small core in which
one thing is wrong. The same core without it passes all of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Dict, Tuple

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

CLEAN = {
    "core/polysock.h": """
        #pragma once
        #define PS_VERSION "1.2.3"
        #include "errors.def"
        typedef struct ps_socket ps_socket;
        typedef struct ps_host ps_host;
        typedef const char *ps_name;
        typedef const char *ps_mode;
        typedef struct ps_done { int code; } ps_done;
        PS_API ps_done ps_fromfd(int fd, ps_mode mode);
        ps_done ps_socket_close(ps_socket *self,
                                ps_host *host);
        #define ps_socket_end ps_socket_close
        int ps_socket_dirty(const ps_socket *self);
    """,
    "core/errors.def": "#define PS_API\n",
    "core/os.h": "#pragma once\nint ps__os_close(int fd);\n",
    "core/internal.h": """
        #pragma once
        #include "polysock.h"
        #include "os.h"
        ps_done ps__error_make(int code);
    """,
    "core/reader.h": "#pragma once\nint ps__reader_more(void);\n",
    "core/os_posix.c": """
        #include <unistd.h>
        #include "os.h"
        int ps__os_close(int fd) { return close(fd); }
    """,
    "core/error.c": """
        #include "internal.h"
        static const char *const words[] = {"one", "two"};
        ps_done ps__error_make(int code) {
          return (ps_done){words[code][0]};
        }
    """,
    "core/reader.c": '#include "reader.h"\nint ps__reader_more(void) { return 0; }\n',
    "core/tcp.c": """
        #include "internal.h"
        #include "reader.h"
        static int known(ps_mode mode) { return mode[0]; }
        ps_done ps_fromfd(int fd, ps_mode mode) {
          return ps__error_make(ps__os_close(fd) + known(mode) + ps__reader_more());
        }
        ps_done ps_socket_close(ps_socket *self, ps_host *host) {
          (void)self, (void)host;
          return ps__error_make(0);
        }
        int ps_socket_dirty(const ps_socket *self) { return self != 0; }
    """,
    "swig/polysock.i": """
        %module core
        %feature("docstring") ps_fromfd
        "Makes one; of (what).";
        ps_done ps_fromfd(int fd, ps_mode mode);
        %feature("docstring") ps_socket
        "One.";
        struct ps_socket {};
        %extend ps_socket {
        ~ps_socket() { ps_socket_free($self, 0); }
        %feature("docstring")
        "Ends it.";
        ps_done close(ps_host *host);
        %feature("docstring")
        "Ends it, too.";
        ps_done end(ps_host *host);
        %feature("docstring")
        "Tells.";
        int dirty();
        }
    """,
    "swig/kinds.i": "typedef const char *ps_mode;\n",
    "swig/support.h": '#include "polysock.h"\nstatic int mine(void) { return 0; }\n',
}

LONG = "int ps_long(void) {\n" + "  (void)0;\n" * 60 + "  return 0;\n}\n"

# What is wrong: the file, what is replaced, by what (or what is added), and what is said.
LAYERS: Dict[str, Tuple[str, str, str, str]] = {
    "a file without a layer": ("core/other.c", "", "int ps__other_one;", "has no layer"),
    "a call upwards": (
        "core/error.c",
        "{words[code][0]}",
        "{ps_socket_dirty(0)}",
        "error.c calls ps_socket_dirty of tcp.c",
    ),
    "a circle of calls": (
        "core/error.c",
        "{words[code][0]}",
        "{ps_socket_dirty(0)}",
        "error.c -> tcp.c -> error.c",
    ),
    "an include upwards": (
        "core/error.c",
        "",
        '#include "reader.h"',
        "error.c includes reader.h",
    ),
    "a circle of includes": (
        "core/os.h",
        "",
        '#include "internal.h"',
        "a circle of includes",
    ),
    "a header in the public one": ("core/polysock.h", "", '#include "os.h"', "more than"),
    "a private name": (
        "core/tcp.c",
        "",
        "int ps__reader_x(void) { return 0; }",
        "ps__tcp_",
    ),
    "a foreign name": ("core/tcp.c", "", "int mine(void) { return 0; }", "not named ps_"),
    "a hidden function": (
        "core/tcp.c",
        "",
        "int ps_x(void) { return 0; }",
        "not in polysock.h",
    ),
    "a name of the C library": ("core/tcp.c", "known", "wait", "wait is the C library's"),
    "such a name in a binding": (
        "swig/support.h",
        "mine",
        "raise",
        "raise is the C library's",
    ),
    "a name with two meanings": (
        "core/reader.c",
        "int ps__reader_more(void) { return 0; }",
        "static int known(void) { return 1; }\n"
        "int ps__reader_more(void) { return known(); }",
        "each has a static function known",
    ),
    "a call of the system": (
        "core/tcp.c",
        "ps__os_close(fd)",
        "close(fd)",
        "tcp.c calls close",
    ),
    "a way out": ("core/os_posix.c", "close(fd)", "(_exit(1), 0)", "calls _exit"),
    "a mutable global": (
        "core/tcp.c",
        "",
        "int ps__tcp_count;",
        "ps__tcp_count is a mutable",
    ),
    "one that has a value": (
        "core/tcp.c",
        "",
        "int ps__tcp_x = 1;",
        "ps__tcp_x is a mutable",
    ),
    "one that is static": (
        "core/reader.c",
        "return 0;",
        "static int count; return count++;",
        "is a mutable global",
    ),
    "a clash as one unit": (
        "core/reader.c",
        "",
        "enum { words = 1 };",
        "as one unit",
    ),
    "a long file": ("core/tcp.c", "", "\n" * 500, "more than 500"),
    "a long function": ("core/tcp.c", "", LONG, "ps_long has 63 lines"),
    "a shredded comment": ("core/tcp.c", "", "/* Does: one thing. */", "Does:"),
    "a binding that sees more": (
        "swig/support.h",
        "polysock.h",
        "internal.h",
        "is private",
    ),
}

INTERFACE: Dict[str, Tuple[str, str, str, str]] = {
    "a type of another name": (
        "swig/polysock.i",
        "ps_mode mode",
        "ps_name mode",
        "ps_fromfd",
    ),
    "one argument less": (
        "swig/polysock.i",
        "end(ps_host *host)",
        "end()",
        "ps_socket_end",
    ),
    "another result": (
        "swig/polysock.i",
        "int dirty",
        "ps_done dirty",
        "ps_socket_dirty",
    ),
    "no such function": (
        "swig/polysock.i",
        "dirty()",
        "clean()",
        "ps_socket_clean is in",
    ),
    "a function that is not read": ("swig/polysock.i", "int dirty();", "", "were found"),
    "a type of two meanings": ("swig/kinds.i", "const char *", "double ", "ps_mode"),
}


def lint(
    tool: str, root: Path, change: Tuple[str, str, str, str] | None
) -> Tuple[int, str]:
    files = {name: text.replace("\n        ", "\n") for name, text in CLEAN.items()}
    if change:
        name, old, new, _ = change
        text = files.get(name, "")
        assert old in text
        files[name] = text.replace(old, new) if old else f"{text}\n{new}\n"
    for name, text in files.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    command = [sys.executable, str(ROOT / "tools" / tool), "--root", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("tool", ["layers.py", "interface.py"])
def test_a_clean_tree_passes(tool: str, tmp_path: Path) -> None:
    assert lint(tool, tmp_path, None) == (0, "")


@pytest.mark.parametrize("wrong", LAYERS)
def test_layers(wrong: str, tmp_path: Path) -> None:
    status, text = lint("layers.py", tmp_path, LAYERS[wrong])
    assert LAYERS[wrong][3] in text
    assert status == 1


@pytest.mark.parametrize("wrong", INTERFACE)
def test_interface(wrong: str, tmp_path: Path) -> None:
    status, text = lint("interface.py", tmp_path, INTERFACE[wrong])
    assert INTERFACE[wrong][3] in text
    assert status == 1
