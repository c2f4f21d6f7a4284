#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds and tests polysock for other systems than the machine's own.

Each system is built in build/systems/NAME, where `log` has all that the tools said. A
system that this machine cannot test is skipped, with the reason. Prints a line for each,
and at last `systems: N passed, N failed, N skipped`. The libraries that tests need,
cmocka and Lua, are compiled for each system from the sources that the distribution has.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "systems"
PATIENCE = 1800
"""Seconds that one step may take."""


class Skip(Exception):
    """This machine cannot test the system."""


class Failed(Exception):
    """A step failed; its log says why."""


class Place:
    """The folder of one system, and the steps that are taken there."""

    def __init__(self, name: str) -> None:
        self.folder = FOLDER / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "log"
        self.log.write_bytes(b"")
        self.env: Dict[str, str] = dict(os.environ)

    def run(self, *argv: object, cwd: Path = ROOT) -> str:
        """Runs a command and returns what it said."""
        words = [str(word) for word in argv]
        try:
            done = subprocess.run(
                words,
                cwd=cwd,
                env=self.env,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                timeout=PATIENCE,
                check=False,
            )
            said, status = done.stdout.decode("utf-8", "replace"), done.returncode
        except subprocess.TimeoutExpired as late:
            said, status = (late.stdout or b"").decode("utf-8", "replace"), -1
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"$ {shlex.join(words)}\n{said}[status {status}]\n")
        if status != 0:
            raise Failed(shlex.join(words[:3]))
        return said


def need(command: str) -> str:
    found = shutil.which(command)
    if found is None:
        raise Skip(f"no {command} here")
    return found


# ---- Libraries ----


def update_lists(place: Place, kind: str, machines: List[str]) -> None:
    """Lets apt read lists of its own in a place, so that the machine's do not change:
    packages ("deb") of these machines, or sources ("deb-src")."""
    folder = place.folder / "apt"
    for part in ("lists/partial", "cache/archives/partial", "sources.list.d"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "sources.list").write_text("")
    found = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    for path in found:
        if path.exists() and path.suffix in (".list", ".sources"):
            text = re.sub(r"(?m)^Types:.*$", f"Types: {kind}", path.read_text())
            text = re.sub(r"(?m)^deb\s", f"{kind} ", text)
            (folder / "sources.list.d" / path.name).write_text(text)
    listed = "".join(f' "{machine}";' for machine in machines)
    (folder / "apt.conf").write_text(
        f'Dir::State::lists "{folder}/lists";\nDir::Cache "{folder}/cache";\n'
        f'Dir::Etc::sourcelist "{folder}/sources.list";\n'
        f'Dir::Etc::sourceparts "{folder}/sources.list.d";\n'
        f'APT::Sandbox::User "root";\nAPT::Architectures {{{listed} }};\n'
    )
    place.env["APT_CONFIG"] = str(folder / "apt.conf")
    with contextlib.suppress(Failed):  # a list that is not there may not be needed
        place.run("apt-get", "update", "-qq")


def sources() -> Dict[str, Path]:
    """The unpacked sources of cmocka and Lua."""
    folder = FOLDER / "sources"
    unpacked = {name: folder / name for name in ("cmocka", "lua5.4")}
    if all((path / "done").exists() for path in unpacked.values()):
        return unpacked
    need("apt-get")
    place = Place("sources")
    update_lists(place, "deb-src", [])
    try:
        for name, path in unpacked.items():
            place.run("apt-get", "source", "-qq", "--download-only", name, cwd=folder)
            (archive,) = folder.glob(f"{name}_*.orig.tar.?z")
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir()
            place.run("tar", "xf", archive, "-C", path, "--strip-components=1")
            (path / "done").write_text("")
    except Failed as failed:
        raise Skip(f"no sources of cmocka and Lua: {failed}") from None
    return unpacked


def describe_library(folder: Path, name: str, headers: Path) -> None:
    """Writes what pkg-config says of a library in this folder."""
    (folder / f"{name}.pc").write_text(
        f"Name: {name}\nDescription: {name}\nVersion: 0\n"
        f"Libs: -L{folder} -l{name}\nCflags: -I{headers}\n"
    )


def make_libraries(place: Place, compiler: str, flags: List[str]) -> Path:
    """Compiles cmocka and Lua for a system, and returns Lua's interpreter."""
    unpacked = sources()
    cmocka, lua = unpacked["cmocka"], unpacked["lua5.4"] / "src"
    folder = place.folder / "libraries"
    folder.mkdir(exist_ok=True)
    interpreter = folder / "lua"
    if (folder / "done").exists():
        return interpreter
    cc = [*shlex.split(compiler), "-O1", "-w", "-fPIC"]
    have = "INTTYPES_H STDINT_H STRINGS_H TIME_H SIGNAL_H STRUCT_TIMESPEC CLOCK_REALTIME"
    defines = [f"-DHAVE_{name}" for name in have.split()]
    defines.append("-DHAVE_GCC_THREAD_LOCAL_STORAGE")
    place.run(*cc, *defines, f"-I{cmocka}/include", "-shared", cmocka / "src/cmocka.c",
              "-o", folder / "libcmocka.so", *flags)  # fmt: skip
    files = [path for path in lua.glob("*.c") if path.name not in ("lua.c", "luac.c")]
    define = "-DLUA_USE_POSIX", "-DLUA_USE_DLOPEN"
    place.run(
        *cc, *define, "-shared", *files, "-o", folder / "liblua5.4.so", "-lm", *flags
    )
    place.run(*cc, *define, lua / "lua.c", *files, "-o", interpreter, "-lm", "-rdynamic",
              *flags)  # fmt: skip
    describe_library(folder, "cmocka", cmocka / "include")
    describe_library(folder, "lua5.4", lua)
    (folder / "done").write_text("")
    return interpreter


# ---- Building ----


class Target(NamedTuple):
    """What CMake is told of a system."""

    name: str  # CMAKE_SYSTEM_NAME; empty: the machine's own
    processor: str
    compiler: str
    flags: List[str] = []  # of the linker
    options: str = ""  # of the compiler
    emulator: str = ""


def configure(place: Place, target: Target, *options: str) -> Path:
    """Makes the build with the tests and returns its folder."""
    libraries = place.folder / "libraries"
    place.env["PKG_CONFIG_LIBDIR"] = str(libraries)
    place.env["CC"] = target.compiler
    build = place.folder / "build"
    quoted = " ".join([*target.flags, f"-Wl,-rpath,{libraries}"])
    lines = [
        f"set(CMAKE_C_COMPILER {';'.join(shlex.split(target.compiler))})",
        "set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)",
        f'set(CMAKE_C_FLAGS_INIT "{target.options}")',
        *(
            f'set(CMAKE_{kind}_LINKER_FLAGS_INIT "{quoted}")'
            for kind in ("EXE", "SHARED", "MODULE")
        ),
    ]
    if target.name:
        lines.append(f"set(CMAKE_SYSTEM_NAME {target.name})")
        lines.append(f"set(CMAKE_SYSTEM_PROCESSOR {target.processor})")
    if target.emulator:
        words = ";".join(shlex.split(target.emulator))
        lines.append(f'set(CMAKE_CROSSCOMPILING_EMULATOR "{words}")')
    toolchain = place.folder / "toolchain.cmake"
    toolchain.write_text("\n".join(lines) + "\n")
    (build / "CMakeCache.txt").unlink(missing_ok=True)  # what it tried may have changed
    place.run(
        "cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "--log-level=WARNING",
        f"-DCMAKE_TOOLCHAIN_FILE={toolchain}", "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
        "-DPOLYSOCK_STRICT=ON", "-DPOLYSOCK_TESTS=ON", "-DPOLYSOCK_PYTHON=OFF",
        f"-DLUA_INCLUDE_DIR={sources()['lua5.4']}/src", "-DVALGRIND_EXECUTABLE=",
        f"-DCMAKE_INSTALL_PREFIX={place.folder}/prefix", *options,
    )  # fmt: skip
    place.run("cmake", "--build", build)
    return build


def run_units(place: Place, build: Path, *options: str) -> str:
    said = place.run("ctest", "--test-dir", build, "--output-on-failure", *options)
    (passed,) = re.findall(r"tests (?:passed|failed) out of (\d+)", said)
    return f"{passed} units"


def run_columns(place: Place, testees: str, *options: object) -> str:
    said = place.run(
        sys.executable, ROOT / "tests/conformance/run.py", "-j", 2, "--slack", 0.3,
        "--testee", testees, *options,
    )  # fmt: skip
    (passed, skipped) = re.findall(r"conformance: (\d+) passed, 0 failed, (\d+)", said)[0]
    return f"{testees}: {passed} scenarios, {skipped} skipped"


def lua_options(prefix: Path, interpreter: object, version: str = "5.4") -> List[str]:
    lua = prefix / "share/lua" / version
    return [
        "--lua", str(interpreter),
        "--lua-path", f"{lua}/?.lua;{lua}/?/init.lua;;",
        "--lua-cpath", f"{prefix}/lib/lua/{version}/?.so;;",
    ]  # fmt: skip


# ---- The systems ----

PYTHON_PACKAGES = (
    *("{}-minimal", "lib{}-minimal", "lib{}-stdlib", "lib{}-dev"),
    *("libexpat1", "zlib1g", "libffi8", "libcrypt1"),
)


def emulator_for(machine: str, root: str) -> str:
    """How programs for a machine are run here: empty, if it is this one."""
    here = platform.machine()
    if machine == here or (machine == "i386" and here == "x86_64"):
        return ""
    return f"{need(f'qemu-{machine}')} -L {root}"


def linux(machine: str, triplet: str, place: Place) -> str:
    """Debian's cross compiler for a machine, and its C library."""
    compiler = need(f"{triplet}-gcc")
    root = Path("/usr") / triplet
    if not (root / "include/stdio.h").exists():
        raise Skip(f"no C library for {triplet} here")
    emulator = emulator_for(machine, str(root))
    loaders = sorted((root / "lib").glob("ld*.so.[0-9]"))
    flags = [f"-Wl,--dynamic-linker={loaders[0]}", f"-Wl,-rpath,{root}/lib"]
    # Notes on what older compilers did are not ours.
    target = Target("Linux", machine, compiler, flags, "-Wno-psabi", emulator)
    interpreter = make_libraries(place, compiler, flags)
    build = configure(place, target)
    place.run("cmake", "--install", build, "--component", "lua")
    units, options = [], lua_options(place.folder / "prefix", f"{emulator} {interpreter}")
    options += ["--c", f"{emulator} {build}/tests/testee_c"]
    if emulator:
        # qemu dies in the child of a process that had threads. It is slow: answers may
        # come later, and one scenario, which writes 20 MB to the testee, is left out.
        units = ["-E", "core.(helpers_fork|poller_threads)"]
        options += ["--slack", "1", "-k", "not wants/send"]
    return "; ".join(
        [run_units(place, build, *units), run_columns(place, "c,lua", *options)]
    )


def i386(place: Place) -> str:
    return linux("i386", "i686-linux-gnu", place)


def unpack_python(place: Place, folder: Path) -> str:
    """Unpacks the distribution's Python for i386, without installing it, and returns the
    name of its program."""
    need("apt-get")
    update_lists(place, "deb", ["amd64", "i386"])
    try:
        depends = place.run("apt-cache", "depends", "python3:i386")
        name: str
        (name,) = set(re.findall(r"Depends: (python3\.\d+)(?::i386)?\n", depends))
        wanted = [part.format(name) + ":i386" for part in PYTHON_PACKAGES]
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        place.run("apt-get", "download", "-qq", *wanted, cwd=folder)
        for package in folder.glob("*.deb"):
            place.run("dpkg-deb", "-x", package, folder)
    except (Failed, ValueError) as failed:
        raise Skip(f"no packages of Python for i386: {failed}") from None
    return name


def python_i386(place: Place) -> str:
    compiler, root = need("i686-linux-gnu-gcc"), Path("/usr/i686-linux-gnu/lib")
    emulator = emulator_for("i386", "/usr/i686-linux-gnu")
    folder = place.folder / "packages"
    name = unpack_python(place, folder)
    package = place.folder / "python" / "polysock"
    shutil.rmtree(package, ignore_errors=True)
    shutil.copytree(ROOT / "python" / "polysock", package)
    swig, wrapper = ROOT / "swig", place.folder / "python_wrap.c"
    places = [f"-I{swig}/python", f"-I{swig}"]
    place.run(
        "swig", "-python", "-builtin", "-module", "polysock", "-interface", "unused",
        *places, "-outdir", place.folder, "-o", wrapper, swig / "polysock.i",
    )  # fmt: skip
    core = (ROOT / "core").glob("*.c")
    include = folder / "usr/include"
    place.run(
        compiler, "-std=c11", "-O1", "-fPIC", "-shared", "-fvisibility=hidden",
        "-Wno-psabi", f"-I{include}/{name}", f"-I{include}", *places, f"-I{ROOT}/core",
        wrapper, *core, "-lm", "-o", package / "_core.so",
    )  # fmt: skip
    paths = [root, *folder.glob("usr/lib/*-linux-gnu"), *folder.glob("lib/*-linux-gnu")]
    python = (
        f"env PYTHONHOME={folder}/usr {emulator} {root}/ld-linux.so.2 --library-path "
        f"{':'.join(map(str, paths))} {folder}/usr/bin/{name} -S"
    )
    place.env["CC"] = compiler
    options = ["--python", python, "--python-path", package.parent]
    return run_columns(place, "python", *options)


def aarch64(place: Place) -> str:
    return linux("aarch64", "aarch64-linux-gnu", place)


def s390x(place: Place) -> str:
    return linux("s390x", "s390x-linux-gnu", place)


def musl(place: Place) -> str:
    compiler = need("musl-gcc")
    interpreter = make_libraries(place, compiler, [])
    build = configure(place, Target("", "", compiler))
    place.run("cmake", "--install", build, "--component", "lua")
    options = lua_options(place.folder / "prefix", interpreter)
    testee = f"{build}/tests/testee_c"
    return "; ".join(
        [
            run_units(place, build),
            run_columns(place, "c,lua", "--c", testee, *options),
        ]
    )


ZIG_TOOL = """#!/bin/sh
# Zig's linker for macOS makes no bundles; a library is as good.
for argument; do
    shift
    [ "$argument" != -bundle ] || argument=-dynamiclib
    set -- "$@" "$argument"
done
exec {} {} "$@"
"""


def zig(triple: str, name: str, place: Place) -> str:
    """Compiles and links everything, which says that headers and symbols are there."""
    spec = importlib.util.find_spec("ziglang")
    if spec is None or spec.origin is None:
        raise Skip("no ziglang in the Python environment")
    command = Path(spec.origin).parent / "zig"
    place.env["ZIG_GLOBAL_CACHE_DIR"] = str(FOLDER / "zig-cache")
    place.env["ZIG_LOCAL_CACHE_DIR"] = str(FOLDER / "zig-cache")
    tools = place.folder / "tools"
    tools.mkdir(exist_ok=True)
    commands = {"cc": f"cc -target {triple}", "ar": "ar", "ranlib": "ranlib"}
    for tool, arguments in commands.items():
        path = tools / tool
        path.write_text(ZIG_TOOL.format(command, arguments))
        path.chmod(0o755)
    compiler = str(tools / "cc")
    make_libraries(place, compiler, [])
    target = Target(name, triple.split("-")[0], compiler)
    build = configure(
        place,
        target,
        "-DBUILD_SHARED_LIBS=ON",
        f"-DCMAKE_AR={tools}/ar",
        f"-DCMAKE_RANLIB={tools}/ranlib",
    )
    programs = [path for path in (build / "tests").rglob("test_*") if not path.suffix]
    return f"library, Lua module and {len(programs)} programs of tests link; not run"


def make_windows_libraries(place: Place, compiler: str) -> Path:
    """Compiles cmocka for Windows, and Lua: the DLL whose symbols the module names, and
    the interpreter, which is returned."""
    folder = place.folder / "libraries"
    folder.mkdir(exist_ok=True)
    source = sources()["lua5.4"] / "src"
    files = [path for path in source.glob("*.c") if path.stem not in ("lua", "luac")]
    cc = [compiler, "-O1", "-w", "-DLUA_BUILD_AS_DLL"]
    place.run(*cc, "-shared", *files, "-o", folder / "lua54.dll")
    place.run(*cc, source / "lua.c", folder / "lua54.dll", "-o", folder / "lua.exe")
    cmocka = sources()["cmocka"]
    have = "INTTYPES_H STDINT_H TIME_H STRUCT_TIMESPEC GCC_THREAD_LOCAL_STORAGE"
    defines = [f"-DHAVE_{name}" for name in have.split()]
    place.run(compiler, "-O1", "-w", *defines, f"-I{cmocka}/include", "-c",
              cmocka / "src/cmocka.c", "-o", folder / "cmocka.o")  # fmt: skip
    place.run(compiler + "-ar", "rcs", folder / "libcmocka.a", folder / "cmocka.o")
    describe_library(folder, "cmocka", cmocka / "include")
    return folder / "lua.exe"


def find_wine() -> Optional[str]:
    there = "/usr/lib/wine/wine64"  # where Debian has it, if only that is installed
    return shutil.which("wine64") or (there if os.path.exists(there) else None)


def windows(place: Place) -> str:
    """MinGW's compiler, and Wine, which runs what it makes: the C units that need no
    POSIX, and the columns."""
    compiler = need("x86_64-w64-mingw32-gcc")
    interpreter = make_windows_libraries(place, compiler)
    library = f"-DLUA_LIBRARIES={interpreter.parent}/lua54.dll"
    wine = find_wine()
    target = Target("Windows", "x86_64", compiler, emulator=wine or "")
    build = configure(place, target, library)
    place.run("cmake", "--install", build, "--component", "lua")
    if wine is None:
        return "C library and Lua module link; not run: no wine64 here"
    place.env.update(WINEPREFIX=str(place.folder / "wine"), WINEDEBUG="-all")
    place.env["WINEDLLOVERRIDES"] = "mscoree,mshtml="  # it asks for no downloads
    del place.env[
        "CC"
    ]  # the resolver that answers late is loaded by Wine, not by Windows
    options = lua_options(place.folder / "prefix", f"{wine} {interpreter}")
    options = [option.replace("?.so", "?.dll") for option in options]
    options += ["--c", f"{wine} {build}/tests/testee_c.exe", "--retry"]
    options += ["--known", str(ROOT / "tests/conformance/windows.txt")]
    try:
        place.run(wine, interpreter, "-v")  # it makes the folder of Wine
        units = run_units(place, build, "-j", "2")
        return "; ".join([units, run_columns(place, "c,lua", *options)])
    finally:
        with contextlib.suppress(Failed, OSError):  # it may have ended, or be elsewhere
            place.run(Path(wine).with_name("wineserver"), "-k")
        shutil.rmtree(place.folder / "wine", ignore_errors=True)  # it is large


def lua(version: str, place: Place, specs: bool) -> str:
    """The module for another Lua, with the interpreter of the distribution."""
    interpreter = need("luajit" if version == "jit" else f"lua{version}")
    script = ROOT / "tests/lua/versions.sh"
    said = place.run(script, version) if specs else place.run(script, "--build", version)
    prefix = ROOT / "build" / f"lua-{version}" / "prefix"
    number = "5.1" if version == "jit" else version
    figures = re.findall(r"(\d+) successes", said)
    return "; ".join(
        [f"{count} specs" for count in figures]
        + [run_columns(place, "lua", *lua_options(prefix, interpreter, number))]
    )


class System(NamedTuple):
    name: str
    short: bool
    test: Callable[[Place], str]


def lua_system(version: str, short: bool, specs: bool) -> System:
    name = "luajit" if version == "jit" else f"lua{version}"
    return System(name, short, lambda place: lua(version, place, specs))


def zig_system(triple: str, name: str) -> System:
    return System(triple, True, lambda place: zig(triple, name, place))


def systems(short: bool) -> List[System]:
    everything = [
        System("i386", True, i386),
        System("i386-python", True, python_i386),
        System("musl", True, musl),
        lua_system("5.1", True, not short),
        lua_system("jit", True, not short),
        lua_system("5.2", False, True),
        lua_system("5.3", False, True),
        zig_system("aarch64-macos", "Darwin"),
        zig_system("x86_64-macos", "Darwin"),
        zig_system("x86_64-freebsd", "FreeBSD"),
        System("windows", True, windows),
        System("aarch64", False, aarch64),
        System("s390x", False, s390x),
    ]
    return [system for system in everything if system.short or not short]


def try_one(system: System) -> str:
    """Tests a system, prints its line and returns how it ended."""
    began = time.monotonic()
    place = Place(system.name)
    told: Optional[str] = None
    try:
        text, ended = system.test(place), "passed"
    except Skip as reason:
        text, ended = str(reason), "skipped"
    except Failed as failed:
        text, ended = f"{failed} failed; see {place.log.relative_to(ROOT)}", "failed"
        told = "\n".join(place.log.read_text(errors="replace").splitlines()[-60:])
    if told is not None:
        print(told)
    took = time.monotonic() - began
    print(f"{ended:8} {system.name:16} {took:4.0f} s  {text}", flush=True)
    return ended


def main() -> int:
    parser = argparse.ArgumentParser(description="Tests polysock for other systems.")
    parser.add_argument("--short", action="store_true", help="what takes a few minutes")
    parser.add_argument("--list", action="store_true", help="lists the systems, and ends")
    parser.add_argument("names", nargs="*", metavar="SYSTEM", help="(default: all)")
    options = parser.parse_args()
    chosen = systems(options.short)
    unknown = set(options.names) - {system.name for system in chosen}
    if unknown:
        parser.error(f"no such system: {', '.join(sorted(unknown))}")
    if options.names:
        chosen = [system for system in chosen if system.name in options.names]
    if options.list:
        print("\n".join(system.name for system in chosen))
        return 0
    ended = [try_one(system) for system in chosen]
    passed, failed, skipped = map(ended.count, ("passed", "failed", "skipped"))
    print(f"systems: {passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
