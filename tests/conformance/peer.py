# SPDX-License-Identifier: MIT
"""The other end of the wire: raw sockets of the standard library, one method per verb.

The peer judges nothing but what it reads itself, and it must never use polysock: no
library is its own judge. Every wait has a limit, so that a scenario fails instead of
hanging.
"""

from __future__ import annotations

import array
import contextlib
import errno
import select
import socket
import struct
import threading
import time
from typing import Callable, Union

import copies
from match import Comparison, Env, difference, evaluate
from transcript import (
    AnyObject,
    Hashed,
    Like,
    Pattern,
    PeerStep,
    Typed,
    Whatever,
)
from values import BYTES, EITHER, Data, Value, show

try:
    import fcntl
    import termios
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

HOSTS = {"ipv4": "127.0.0.1", "ipv6": "::1"}
Argument = Union[str, Pattern]


class PeerError(Exception):
    """The peer could not do what the scenario says, or saw something else."""


def family_of(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


class Peer:
    """One listener and one connection at most, and the sockets that fill a queue."""

    def __init__(self, limit: float, log: Callable[[str], None]) -> None:
        self.limit, self.log = limit, log
        self.listeners: list[socket.socket] = []
        self.connection: socket.socket | None = None
        self.fillers: list[socket.socket] = []
        self.held: list[socket.socket] = []
        self.floods: list[threading.Thread] = []

    # helpers

    def _conn(self) -> socket.socket:
        if self.connection is None:
            raise PeerError("this peer has no connection")
        return self.connection

    def _adopt(self, conn: socket.socket) -> None:
        if self.connection is not None:
            self.held.append(self.connection)
        conn.settimeout(self.limit)
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection = conn

    def _bound(self, host: str, port: int = 0) -> socket.socket:
        sock = socket.socket(family_of(host), socket.SOCK_STREAM)
        try:
            if family_of(host) == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind((host, port))
        except OSError:
            sock.close()
            raise
        return sock

    def _arrived(self) -> None:
        """Waits until the other end's system has what was sent, where that can be asked;
        one that takes no more is not waited for."""
        end = time.monotonic() + 0.05
        left = array.array("i", [0])
        while fcntl is not None and time.monotonic() < end:
            try:
                fcntl.ioctl(self._conn(), termios.TIOCOUTQ, left)
            except OSError:
                return
            if left[0] == 0:
                return
            time.sleep(0.0005)

    def _exactly(self, count: int) -> bytes:
        conn, out = self._conn(), bytearray()
        end = time.monotonic() + self.limit
        while len(out) < count:
            conn.settimeout(max(0.01, end - time.monotonic()))
            try:
                chunk = conn.recv(min(count - len(out), 1 << 20))
            except socket.timeout:
                raise PeerError(f"read {show(Data(bytes(out)))}, then nothing") from None
            except OSError as error:
                raise PeerError(f"read {show(Data(bytes(out)))}, then {error}") from None
            if not chunk:
                raise PeerError(f"read {show(Data(bytes(out)))}, then the end")
            out += chunk
        conn.settimeout(self.limit)
        return bytes(out)

    def _to_end(self) -> bytes:
        conn, out = self._conn(), bytearray()
        end = time.monotonic() + self.limit
        while True:
            conn.settimeout(max(0.01, end - time.monotonic()))
            try:
                chunk = conn.recv(1 << 20)
            except socket.timeout:
                raise PeerError(f"read {show(Data(bytes(out)))}, but no end") from None
            if not chunk:
                conn.settimeout(self.limit)
                return bytes(out)
            out += chunk

    # verbs; each returns what it gives to keep

    def listen(
        self, family: str = "ipv4", backlog: int = 16, buffers: int | None = None
    ) -> tuple[str, int]:
        self.close("listener")
        if family == "dual":
            host, port = "localhost", self._both()
        else:
            host = HOSTS[family]
            self.listeners = [self._bound(host)]
            port = self.listeners[0].getsockname()[1]
        for sock in self.listeners:
            if buffers is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffers)
            sock.listen(backlog)
        return host, port

    def _both(self) -> int:
        """The same free port in both families, found by trying."""
        for _ in range(100):
            first = self._bound(HOSTS["ipv4"])
            port = int(first.getsockname()[1])
            try:
                self.listeners = [first, self._bound(HOSTS["ipv6"], port)]
                return port
            except OSError as error:
                first.close()
                if error.errno != errno.EADDRINUSE:
                    raise
        raise PeerError("no port is free in both families")

    def refuse(self, family: str = "ipv4") -> tuple[str, int]:
        # Bound and not listening: connects are refused, and nobody else gets the port.
        sock = self._bound(HOSTS[family])
        self.held.append(sock)
        return HOSTS[family], sock.getsockname()[1]

    def stall(self, family: str = "ipv4") -> tuple[str, int]:
        host, port = self.listen(family, backlog=0)
        for _ in range(64):
            filler = socket.socket(family_of(host), socket.SOCK_STREAM)
            filler.setblocking(False)
            filler.connect_ex((host, port))
            if not select.select([], [filler], [], 0.1)[1]:
                filler.close()
                return host, port
            self.fillers.append(filler)
        raise PeerError("the queue of this system never fills")

    def unstall(self) -> None:
        for filler in self.fillers:
            self._take()[0].close()
            filler.close()
        self.fillers = []

    def _take(self) -> tuple[socket.socket, str]:
        ready = select.select(self.listeners, [], [], self.limit)[0]
        if not ready:
            raise PeerError("nobody connected")
        conn, address = ready[0].accept()
        return conn, f"{address[0]} {address[1]}"

    def accept(self, owner: Peer | None = None) -> None:
        listening = owner or self
        if not listening.listeners:
            raise PeerError("no listener to accept from")
        conn, address = listening._take()
        self._adopt(conn)
        self.log(f"accepted {address}")

    def connect(self, host: str, port: int, buffers: int | None = None) -> None:
        sock = socket.socket(family_of(host), socket.SOCK_STREAM)
        sock.settimeout(self.limit)
        try:
            if buffers is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffers)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffers)
            sock.connect((host, port))
        except socket.timeout:
            sock.close()
            raise PeerError("cannot connect: timeout") from None
        except OSError as error:
            sock.close()
            raise PeerError(f"cannot connect: {error}") from None
        self._adopt(sock)

    def fail_to_connect(self, host: str, port: int, words: str) -> None:
        sock = socket.socket(family_of(host), socket.SOCK_STREAM)
        sock.settimeout(0.5)
        try:
            sock.connect((host, port))
            seen = "connected"
        except socket.timeout:
            seen = "timeout"
        except ConnectionRefusedError:
            seen = "refused"
        except OSError as error:
            seen = str(error)
        finally:
            sock.close()
        if seen != words:
            raise PeerError(f"{words} expected: {seen}")

    def send(self, pieces: list[bytes | float]) -> None:
        conn = self._conn()
        for piece in pieces:
            if isinstance(piece, bytes):
                try:
                    conn.sendall(piece)
                except OSError as error:
                    raise PeerError(f"cannot send: {error}") from None
            else:
                time.sleep(piece)
        self._arrived()

    def flood(self, data: bytes) -> None:
        """Sends the same again and again, until the connection ends; returns when the
        other end has some of it."""
        conn = self._conn()
        conn.settimeout(None)
        block = data * (65536 // len(data) + 1)

        def pour() -> None:
            try:
                while True:
                    conn.sendall(block)
            except OSError:
                pass

        thread = threading.Thread(target=pour, daemon=True)
        self.floods.append(thread)
        thread.start()
        self._arrived()

    def adopt(self, process: int, fd: int) -> None:
        """A copy of a descriptor of another process becomes the connection."""
        self._adopt(socket.socket(fileno=copies.copy(process, fd)))

    def expect_data(self, wanted: bytes) -> None:
        got = self._exactly(len(wanted))
        if got != wanted:
            why = difference(Data(wanted), Data(got))
            raise PeerError(f"got {show(Data(got))} {why}".rstrip())

    def expect_eof(self) -> None:
        try:
            rest = self._to_end()
        except OSError as error:
            raise PeerError(f"not the end but {error}") from None
        if rest:
            raise PeerError(f"not the end but {show(Data(rest))}")

    def expect_reset(self) -> None:
        try:
            rest = self._to_end()
        except ConnectionError:
            return
        raise PeerError(f"no reset but {show(Data(rest))} and the end")

    def expect_nothing(self, seconds: float) -> None:
        conn = self._conn()
        if select.select([conn], [], [], seconds)[0]:
            try:
                seen = show(Data(conn.recv(4096)))
            except OSError as error:
                seen = str(error)
            raise PeerError(f"something came: {seen}")

    def read(self, count: int) -> bytes:
        return self._exactly(count)

    def read_all(self) -> bytes:
        try:
            return self._to_end()
        except OSError as error:
            raise PeerError(str(error)) from None

    def shutdown(self) -> None:
        self._conn().shutdown(socket.SHUT_WR)
        self._arrived()

    def _ebb(self) -> None:
        """Ends a flood, which may be inside of a send."""
        if self.floods and self.connection is not None:
            with contextlib.suppress(OSError):  # the other end was faster
                self.connection.shutdown(socket.SHUT_RDWR)
        for thread in self.floods:
            thread.join(self.limit)
        self.floods = []

    def reset(self) -> None:
        conn = self._conn()
        self._ebb()
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        conn.close()
        self.connection = None

    def close(self, what: str = "") -> None:
        if what in ("", "listener"):
            for sock in self.listeners:
                sock.close()
            self.listeners = []
        if what in ("", "connection") and self.connection is not None:
            self._ebb()
            self.connection.close()
            self.connection = None

    def finish(self) -> None:
        """Everything goes, at the end of the scenario."""
        self.close()
        for sock in self.fillers + self.held:
            sock.close()
        self.fillers, self.held = [], []


# --- from a step to a verb ------------------------------------------------------------


class Peers:
    """The peers of one run, by name; "" is the one that needs no name."""

    def __init__(
        self,
        env: Env,
        limit: float,
        log: Callable[[str, str], None],
        process: Callable[[], int],
    ) -> None:
        self.env, self.limit, self.log, self.process = env, limit, log, process
        self.peers: dict[str, Peer] = {}

    def peer(self, name: str) -> Peer:
        if name not in self.peers:
            who = f"peer:{name}" if name else "peer"
            self.peers[name] = Peer(self.limit, lambda text: self.log(who, text))
        return self.peers[name]

    def finish(self) -> None:
        for peer in self.peers.values():
            peer.finish()

    def _value(self, item: Argument) -> Value:
        if isinstance(item, (str, Typed, Like, Hashed, AnyObject, Whatever)):
            raise PeerError("a value is missing")
        return evaluate(item, self.env)

    def _bytes(self, item: Argument) -> bytes:
        value = self._value(item)
        if not isinstance(value, Data):
            raise PeerError(f"{show(value)} should be bytes")
        return value.data

    def _number(self, item: Argument) -> float:
        value = self._value(item)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise PeerError(f"{show(value)} should be a number")
        return value

    def _keep(self, step: PeerStep, *values: Value) -> None:
        for name, value in zip(step.keep, values):
            self.env.values[name] = value

    def _where(self, step: PeerStep, host: str, port: int) -> None:
        prefix = f"{step.name}." if step.name else ""
        self.env.values[f"{prefix}host"] = Data(host.encode())
        self.env.values[f"{prefix}port"] = port
        self.log(f"peer:{step.name}" if step.name else "peer", f"{host} {port}")

    def do(self, step: PeerStep) -> None:
        """Plays one peer step; PeerError or Mismatch when it cannot be done."""
        peer, args = self.peer(step.name), list(step.args)
        try:
            getattr(self, f"_do_{step.verb}")(peer, step, args)
        except OSError as error:
            raise PeerError(f"peer {step.verb}: {error}") from None

    def _do_listen(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        family, numbers = "ipv4", {"backlog": 16.0}
        while args:
            word = args.pop(0)
            if word in ("ipv4", "ipv6", "dual"):
                family = str(word)
            elif isinstance(word, str) and args:
                numbers[word] = self._number(args.pop(0))
            else:
                raise PeerError("peer listen wants words and numbers")
        buffers = int(numbers["buffers"]) if "buffers" in numbers else None
        self._where(step, *peer.listen(family, int(numbers["backlog"]), buffers))

    def _do_refuse(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        self._where(step, *peer.refuse(*[str(word) for word in args]))

    def _do_stall(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        self._where(step, *peer.stall(*[str(word) for word in args]))

    def _do_unstall(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        peer.unstall()

    def _do_accept(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        name = str(args[1]) if args else ""
        # The nameless peer is called `peer` where it has to be named.
        owner = self.peer("" if name == "peer" else name) if args else None
        peer.accept(owner)

    def _do_connect(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        host = self._bytes(args[0]).decode()
        port = int(self._number(args[1]))
        rest = args[2:]
        if rest[:1] == ["!"]:
            peer.fail_to_connect(host, port, self._bytes(rest[1]).decode())
            return
        buffers = int(self._number(rest[1])) if rest[:1] == ["buffers"] else None
        peer.connect(host, port, buffers)
        assert peer.connection is not None
        self._where(step, *peer.connection.getsockname()[:2])

    def _do_send(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        pieces: list[bytes | float] = []
        while args:
            item = args.pop(0)
            if item == "pause":
                pieces.append(float(self._number(args.pop(0))))
            else:
                pieces.append(self._bytes(item))
        peer.send(pieces)

    def _do_expect(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        what = args[0]
        if what == "eof":
            peer.expect_eof()
        elif what == "reset":
            peer.expect_reset()
        elif what == "nothing":
            peer.expect_nothing(self._number(args[1]) if args[1:] else 0.1)
        elif isinstance(what, Hashed):
            got = peer.read(what.length)
            Comparison(self.env, False).value(what, Data(got, EITHER), BYTES)
        else:
            peer.expect_data(self._bytes(what))

    def _do_read(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        if args[0] == "all":
            data = peer.read_all()
        else:
            data = peer.read(int(self._number(args[0])))
        self._keep(step, Data(data))

    def _do_flood(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        peer.flood(self._bytes(args[0]))

    def _do_adopt(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        peer.adopt(self.process(), int(self._number(args[0])))

    def _do_shutdown(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        peer.shutdown()

    def _do_reset(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        peer.reset()

    def _do_close(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        peer.close(*[str(word) for word in args])

    def _do_sockname(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        host, port = peer._conn().getsockname()[:2]
        self._keep(step, Data(host.encode()), port)

    def _do_peername(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        host, port = peer._conn().getpeername()[:2]
        self._keep(step, Data(host.encode()), port)
