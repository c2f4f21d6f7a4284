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
from typing import Callable

from . import copies
from .match import difference
from .values import Data, show

try:
    import fcntl
    import termios
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

HOSTS = {"ipv4": "127.0.0.1", "ipv6": "::1"}


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
        self.send([data])
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
