# SPDX-License-Identifier: MIT
"""Testees as processes: how they are started, spoken to, watched and ended.

The protocol is one line of words per request and per answer (docs/conformance.md). A
testee that dies or hangs costs its process, never the run. Nothing here knows what an
answer means.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from . import __version__, greeting
from .greeting import Greeting, GreetingError
from .values import Value, encode

STARTUP = 10.0
LINGER = 1.0
UNREAD = 20.0  # seconds in which it must have read a long request
LONG_REQUEST = 4096  # what any pipe takes at once
LONG_GREETING = 1 << 16
LONGEST = 1 << 28  # bytes of a line that it writes
SHOWN = 20  # last lines of its standard error


class TesteeError(Exception):
    """The testee died, hung, or does not start."""


@dataclass
class Spec:
    """How to start a testee. What it is and can, it says in its greeting."""

    name: str
    argv: list[str]
    env: dict[str, str] = field(default_factory=dict)
    wire: list[str] | None = None  # gets the lines of the protocol, where somebody looks


_running: set[Testee] = set()


def kill_all() -> None:
    """Kills every testee at once, for a run that is broken off."""
    for testee in list(_running):
        testee.kill_processes()


def plain(data: bytes) -> str:
    """What a testee wrote, for a person: nothing in it moves a cursor."""
    text = data.decode("utf-8", "replace").replace("\t", " ")
    return "".join(char if char.isprintable() else "?" for char in text)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"


class Testee:
    """One running testee. A thread of ours reads its answers and notes when each came."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        env = {**os.environ, "POLYSOCK_CONFORMANCE": __version__, **spec.env}
        try:
            self.process = subprocess.Popen(
                spec.argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.stderr,
                env=env,
                start_new_session=True,
            )
        except OSError as error:
            self.stderr.close()
            raise TesteeError(
                f"{spec.name} does not start: {spec.argv[0]}: {error.strerror}"
            ) from None
        _running.add(self)
        self.changed = threading.Condition()
        self.answers: dict[str, tuple[list[bytes], float]] = {}
        self.threads: dict[str, int] = {}
        self.hello: list[str] | None = None
        self.gone = False
        self.fault = ""  # why it was killed, if it was
        self.stray = b""  # the last line that is no answer
        self.descriptors = 0
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        with self.changed:
            self.changed.wait_for(lambda: self.hello or self.gone, STARTUP)
        said = ""
        if not self.hello:
            said = self.ending() if self.gone else f"no greeting within {STARTUP:g} s"
            if not self.gone:
                said += self._stderr()
        self.greeting = Greeting()
        try:
            if not said:
                self.greeting = greeting.read(self.hello or [])
        except GreetingError as error:
            said = str(error)
        if said:
            self.kill()
            raise TesteeError(f"{spec.name} does not start: {said}")
        self.descriptors = self._count()

    def _read(self) -> None:
        assert self.process.stdout is not None
        while line := self.process.stdout.readline(LONGEST):
            now = time.monotonic()
            if len(line) == LONGEST:
                self.fault = f"it wrote a line of more than {LONGEST >> 20} MiB"
                self.kill_processes()
                break
            self._note("←", line)
            words = line.split()
            if not words:
                continue
            with self.changed:
                if self.hello is None:
                    self.hello = plain(line[:LONG_GREETING].strip()).split()
                    self.changed.notify_all()
                    continue
                tag = words[0].decode("utf-8", "replace")
                if words[1:2] == [b"tid"] and len(words) == 3 and words[2].isdigit():
                    self.threads[tag] = int(words[2][:18]) or self.process.pid
                else:
                    self.answers[tag] = (words[1:], now)
                    if words[1:2] not in ([b"ok"], [b"error"]):
                        self.stray = line.strip()[:80]
                self.changed.notify_all()
        with self.changed:
            self.gone = True
            self.changed.notify_all()

    def _note(self, arrow: str, line: bytes) -> None:
        if self.spec.wire is not None:
            text, size = plain(line[:140].rstrip(b"\n")), len(line)
            short = f"{text[:100]}… ({size} bytes)"
            self.spec.wire.append(f"{arrow} {text if size < 140 else short}")

    def request(
        self, tag: str, into: str | None, slot: str, method: str, args: list[Value]
    ) -> float:
        """Sends a call and returns when it was sent. Tag "0" is answered before the next
        request is read; any other begins a call that is collected later."""
        words = [tag, into or "-", slot, self.greeting.names.get(method, method)]
        line = b" ".join([*(word.encode() for word in words), *map(encode, args)]) + b"\n"
        assert self.process.stdin is not None
        self._note("→", line)
        # One that has stopped reading would keep us here for ever.
        watchdog = (
            threading.Timer(UNREAD, self._unread) if len(line) > LONG_REQUEST else None
        )
        if watchdog:
            watchdog.start()
        began = time.monotonic()
        try:
            self.process.stdin.write(line)
            self.process.stdin.flush()
        except OSError:
            raise TesteeError(self.ending()) from None
        finally:
            if watchdog:
                watchdog.cancel()
        return began

    def _unread(self) -> None:
        self.fault = f"it has not read its input for {UNREAD:g} s"
        self.kill_processes()

    def answer(self, tag: str, seconds: float) -> tuple[list[bytes], float]:
        """The answer under a tag and when it came; TesteeError when none comes in
        time."""
        with self.changed:
            self.changed.wait_for(lambda: tag in self.answers or self.gone, seconds)
            if tag in self.answers:
                return self.answers.pop(tag)
        if self.gone:
            raise TesteeError(self.ending())
        but = f", but the line {self.stray!r}" if self.stray else ""
        raise TesteeError(f"no answer within {seconds:.1f} s{but}")

    def settle(self, tag: str, seconds: float = 1.0) -> None:
        """Returns when the started call waits in the system or has been answered. A
        thread that sleeps and has not been switched for a while is one that waits."""
        end = time.monotonic() + seconds
        with self.changed:
            self.changed.wait_for(
                lambda: tag in self.threads or tag in self.answers or self.gone, seconds
            )
        seen = None
        while time.monotonic() < end and tag not in self.answers and not self.gone:
            now = self._switches(self.threads.get(tag, 0))
            if now is not None and now == seen:
                return
            seen = now
            time.sleep(0.005)

    def _switches(self, tid: int) -> str | None:
        """How often a sleeping thread was switched; None while it runs."""
        try:
            path = f"/proc/{self.process.pid}/task/{tid}/status"
            text = Path(path).read_text(encoding="ascii", errors="replace")
        except OSError:
            time.sleep(0.02)  # no such file system: a moment has to do
            return "?"
        if "State:\tS" not in text:
            return None
        return text[text.find("voluntary_ctxt_switches") :]

    def reset(self, seconds: float) -> str | None:
        """Ends all that a scenario left; what it says is a fault of the testee."""
        self.answers.clear()
        self.threads.clear()
        self.request("0", None, "testee", "reset", [])
        words, _ = self.answer("0", seconds)
        if words[:1] != [b"ok"]:
            return "reset failed: " + plain(b" ".join(words)[:200])
        left = self._count() - self.descriptors
        leaks = "leaks" in self.greeting.flags
        end = time.monotonic() + LINGER
        while left > 0 and not leaks and time.monotonic() < end:
            time.sleep(0.02)  # a thread that is ending may still have some
            left = self._count() - self.descriptors
        if left > 0 and not leaks:
            return f"{left} descriptors are still open after everything was closed"
        return None

    def _count(self) -> int:
        try:
            return len(os.listdir(f"/proc/{self.process.pid}/fd"))
        except OSError:
            return 0

    def ending(self) -> str:
        """How it ended, and the last lines that it wrote to stderr."""
        try:
            code = self.process.wait(1.0)
        except subprocess.TimeoutExpired:
            return "it closed its output" if self.gone else "it does not end"
        if self.fault:
            how = self.fault
        elif code < 0:
            how = f"it died of {_signal_name(-code)}"
        else:
            how = f"it ended with status {code}"
        return how + self._stderr()

    def _stderr(self) -> str:
        """The last lines of its standard error, to be put behind a text."""
        self.stderr.seek(0, os.SEEK_END)
        self.stderr.seek(max(0, self.stderr.tell() - 3000))
        lines = self.stderr.read().strip().splitlines()[-SHOWN:]
        said = "\n".join(plain(line) for line in lines)
        return f": {said}" if said else ""

    def quit(self) -> str | None:
        """Ends it in order, by the end of its input; what it says is a fault."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()
            self.process.wait(5.0)
        except (OSError, subprocess.TimeoutExpired):
            pass
        code = self.process.poll()
        said = None if code == 0 else f"{self.spec.name}: at the end {self.ending()}"
        self.kill()
        return said

    def kill_processes(self) -> None:
        """Kills it, and what it has started in its session: it may be a wrapper."""
        if self.process.poll() is None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except (AttributeError, OSError):  # no such call, or no such group
                self.process.kill()

    def kill(self) -> None:
        _running.discard(self)
        self.kill_processes()
        self.process.wait()
        self.reader.join(1.0)
        for pipe in (self.process.stdin, self.process.stdout, self.stderr):
            try:
                if pipe:
                    pipe.close()
            except OSError:
                pass


class Pool:
    """The testees of one worker: reused while they behave, replaced when they do not."""

    def __init__(self, specs: dict[str, Spec]) -> None:
        self.specs = specs
        self.running: dict[str, Testee] = {}
        self.complaints: list[str] = []

    def get(self, name: str) -> Testee:
        """The testee of that name; with an apostrophe behind it, a second one of them."""
        testee = self.running.get(name)
        if testee is None or testee.gone:
            if testee is not None:
                testee.kill()
            testee = self.running[name] = Testee(self.specs[name.rstrip("'")])
        return testee

    def fresh(self, name: str, env: dict[str, str]) -> Testee:
        """One of that name with an environment of its own, to be retired after use."""
        spec = self.specs[name]
        return Testee(replace(spec, env={**spec.env, **env}))

    def retire(self, testee: Testee) -> None:
        said = testee.quit()
        if said:
            self.complaints.append(said)

    def discard(self, testee: Testee) -> None:
        """It may be hung or spoilt: the next scenario gets a new one."""
        for name, known in list(self.running.items()):
            if known is testee:
                del self.running[name]
        testee.kill()

    def finish(self) -> list[str]:
        """Ends them all; a sanitizer, for one, complains only now."""
        for testee in self.running.values():
            self.retire(testee)
        self.running.clear()
        return self.complaints
