# SPDX-License-Identifier: MIT
"""A program that uses everything public, in both styles, over the loopback.

``mypy --strict`` reads it and Python runs it: what the stub promises has to come.
What a call does is not tested here but in the conformance suite.
"""

from __future__ import annotations

import os
import select as system_select
from typing import Dict, List, Optional, Tuple, Union

import polysock
from polysock import dns, raising, try_

HOST = "127.0.0.1"


class Foreign:
    """What select takes besides sockets."""

    def __init__(self, socket: polysock.Socket) -> None:
        self.socket = socket

    def getfd(self) -> int:
        return self.socket.getfd()

    def dirty(self) -> bool:
        return self.socket.dirty()


def connect_pair() -> Tuple[polysock.Socket, polysock.Socket, polysock.Socket]:
    server, error = polysock.bind(HOST, 0, 5)
    assert server is not None and error is None
    address: Optional[str]
    port: Union[int, str]  # the words of a failure stand in its place
    address, port, family = server.getsockname()
    assert address is not None and family == "inet"
    client: polysock.Socket = try_(polysock.connect(address, port, None, 0, "inet"))
    peer: polysock.Socket = try_(server.accept())
    return server, client, peer


def make_objects() -> None:
    for made in (polysock.tcp(), polysock.tcp4(), polysock.tcp6()):
        master: polysock.Socket = try_(made)
        kind: str = master.kind
        assert kind == "master"
        done: int = master.close()
        assert done == 1
    server: polysock.Socket = try_(polysock.tcp4())
    one: int = try_(server.setsockname(HOST, "0"))
    one = try_(server.listen())
    port = server.getsockname()[1]
    four: polysock.Socket = try_(polysock.connect4(HOST, port, HOST, 0))
    other: polysock.Socket = try_(polysock.tcp())
    one = try_(other.setpeername(HOST, str(port)))
    assert one == 1
    again: Tuple[Optional[int], Optional[str]] = other.connect(HOST, port)
    assert again == (None, "already connected")
    refused: Tuple[Optional[polysock.Socket], Optional[str]] = polysock.connect6(
        HOST, port
    )
    assert refused[0] is None
    for each in (four, other, server):
        each.close()
    unbound: polysock.Socket = try_(polysock.tcp())
    one = try_(unbound.bind(HOST, 0))
    unbound.close()


def transfer() -> None:
    server, client, peer = connect_pair()
    last: Optional[int]
    error: Optional[str]
    reached: Optional[int]
    last, error, reached = client.send(b"a line\r\nraw\nabc|rest", 1, -1)
    assert (last, error, reached) == (20, None, None)
    assert (
        try_(client.send(bytearray(b"!"))) + try_(client.send(memoryview(b"!"), None))
        == 2
    )
    client.shutdown("send")
    line: bytes = try_(peer.receive())
    raw: bytes = try_(peer.receive("*L", b""))
    count: bytes = try_(peer.receive(3, None, 10))
    assert (line, raw, count) == (b"a line", b"raw\n", b"abc")
    assert peer.dirty() and peer.pending() > 0
    until: bytes = try_(peer.receiveuntil(b"|", b"", 100))
    some: bytes = try_(peer.receiveany(1))
    buffer = bytearray(3)
    filled: Tuple[Union[int, None], Optional[str], Optional[int]]
    filled = peer.receiveinto(buffer, 3)
    rest: bytes = try_(peer.receive("*a"))
    assert (until, some, bytes(buffer), rest) == (b"", b"r", b"est", b"!!")
    assert filled == (3, None, None)
    result = peer.receive()
    if result[0] is None:
        words: str = result[1]
        partial: bytes = result[2]
        assert (words, partial) == ("closed", b"")
    received, sent, age = peer.getstats()
    assert received == 22 and sent == 0 and age >= 0
    assert peer.setstats(1, None, 2.5) == 1
    for each in (client, peer, server):
        each.close()


def iterate() -> None:
    server, client, peer = connect_pair()
    with client, server:
        client.send(b"one\ntwo\n")
        client.send(b"three\nfour\nfive")
        client.shutdown()
        lines: List[bytes] = list(peer.lines("*L"))[:2]
        assert lines == [b"one\n", b"two\n"]
        for line in peer:
            raise AssertionError(line)
    with peer as same:
        assert same is peer
    assert peer.getfd() == polysock.SOCKETINVALID


def wait() -> None:
    server, client, peer = connect_pair()
    assert client.settimeout(0.01) == client.settimeout(5, "t") == 1
    block, total = client.gettimeout()
    assert (block, total) == (0.01, 5)
    assert client.getdeadline() is None and client.setdeadline(10) == 1
    left: Optional[float] = client.getdeadline()
    assert left is not None and left > 9
    wanted: Optional[str] = client.wants()
    assert wanted is None
    readable, writable, error = polysock.select([client, peer], [client], 0)
    first: polysock.Socket = writable[0]
    assert (readable, first, error) == ([], client, None)
    foreign = Foreign(client)
    nothing, ready, error = polysock.select(None, [foreign], 1.0)
    assert ready[0].socket is client and not nothing
    _, _, error = polysock.select([server], None, 0)
    assert error == "timeout"
    assert system_select.select([], [client], [], 1)[1] == [client]
    for each in (client, peer, server):
        each.close()


def poll() -> None:
    server, client, peer = connect_pair()
    poller: polysock.Poller = try_(polysock.poller())
    with poller as same:
        assert same is poller and isinstance(poller, polysock.BasePoller)
        one: int = try_(poller.add(client, "rw", ["a", "token"]))
        assert one == 1 and poller.add(client, "r") == (None, "already added")
        assert try_(poller.add(Foreign(server), "r")) == 1
        ready, error = poller.wait(0, max=1)
        assert ready is not None and error is None
        for token, events in ready:
            assert token == ["a", "token"] and events == "w"
        assert try_(poller.modify(client, "r")) + try_(poller.remove(client)) == 2
        assert poller.count() == 1 and poller.fileno() == poller.getfd()
        assert poller.wake() == 1 and try_(poller.wait()) == []
    assert poller.close() == 1
    for each in (client, peer, server):
        each.close()


def set_options() -> None:
    server, client, peer = connect_pair()
    flag: bool = try_(client.getoption("keepalive"))
    linger = try_(client.getoption("linger"))
    on: bool = linger["on"]
    size: int = try_(client.getoption("recv-buffer-size"))
    seconds: float = try_(client.getoption("tcp-user-timeout"))
    device: str = try_(client.getoption("bindtodevice"))
    pending: Optional[str] = try_(client.getoption("error"))
    assert not flag and not on and size > 0 and seconds == 0
    assert device == "" and pending is None
    done: Tuple[Optional[int], Optional[str]] = client.setoption("tcp-nodelay", True)
    assert done == (1, None)
    assert try_(client.setoption("linger", {"on": True, "timeout": 1})) == 1
    assert try_(client.setoption("tcp-keepidle", 60)) == 1
    assert try_(client.setoption("tcp-user-timeout", 2.5)) == 1
    for each in (client, peer, server):
        each.close()


def move_descriptors() -> None:
    server, client, peer = connect_pair()
    fd: int = try_(client.detach())
    adopted: polysock.Socket = try_(polysock.fromfd(fd, "client"))
    assert adopted.fileno() == adopted.getfd() == fd and client.getfd() == -1
    assert adopted.setfd(polysock.SOCKETINVALID) is None  # type: ignore[func-returns-value]
    os.close(fd)
    assert adopted.getfamily() == "inet4" and "client" in str(adopted)
    assert peer.getpeername()[2] == "inet"
    peer.close()
    server.close()


def look_up() -> None:
    name: str = try_(dns.gethostname())
    address, host, error = dns.toip("localhost")
    assert name and address and host is not None and error is None
    names: List[str] = [host["name"], *host["alias"], *host["ip"]]
    assert address in names
    _, host, error = dns.tohostname(HOST)
    found = try_(dns.getaddrinfo(HOST))
    assert found[0]["family"] == "inet" and found[0]["addr"] == HOST
    hosts, service, error = dns.getnameinfo(None, "80")
    assert hosts == [] and service is not None and error is None


def convert_failures() -> None:
    closed: List[bool] = []
    attempt = polysock.newtry(lambda: closed.append(True))
    client: polysock.Socket = try_(polysock.tcp())
    try:
        attempt(client.connect(HOST, 1))
    except polysock.Error as failure:
        words: str = failure.error
        partial: Optional[bytes] = failure.partial
        last: Optional[int] = failure.last
        assert isinstance(failure, polysock.Refused)
        assert (words, partial, last) == ("connection refused", None, None)
        assert closed == [True]
    client.close()

    def work(address: str) -> int:
        with raising.tcp() as master:
            return master.connect(address, 1)

    value, error = polysock.protect(work)(HOST)
    assert (value, error) == (None, "connection refused")


def close_all(*sockets: polysock.BaseSocket) -> None:
    for each in sockets:
        each.close()


def serve(client: raising.Socket) -> Dict[bytes, int]:
    return {line: client.send(line) for line in client}


def in_exception_style() -> None:
    with raising.bind(HOST, 0) as server:
        address, port, family = server.getsockname()
        assert family == "inet"
        client: raising.Socket = raising.connect(address, port)
        with client, server.accept() as peer:
            last: int = client.send(b"echo\n1234", 1, 5)
            assert last == 5 and peer.receive("*L") == b"echo\n"
            client.settimeout(0)
            try:
                client.receive()
            except raising.Timeout as failure:
                assert failure.partial == b""
            client.settimeout(5)
            peer.send(b"123456")
            try:
                client.receive("*l", None, 4)
            except raising.Oversized as failure:
                assert failure.partial == b"1234"
            buffer = bytearray(2)
            assert client.receiveinto(buffer) == 2 and buffer == b"56"
            readable, writable = raising.select([peer], [client], timeout=1)
            assert (readable, writable) == ([], [client])
            size: int = client.getoption("send-buffer-size")
            assert client.setoption("send-buffer-size", size) == 1
            assert client.getpeername() == (address, port, "inet")
            client.shutdown("send")
            try:
                peer.receive()
            except raising.Closed:
                assert serve(peer) == {}
    with raising.poller() as poller, raising.tcp4() as member:
        assert isinstance(poller, polysock.RaisingPoller)
        done: int = poller.add(member, "r")
        assert done == poller.count() == 1
        for token, events in poller.wait(1):
            assert token is member and events == "r"
    for made in (raising.tcp(), raising.tcp4(), raising.tcp6()):
        assert isinstance(made, polysock.RaisingSocket)
        fd: int = made.getfd()
        close_all(made, try_(polysock.tcp()))
        assert fd >= -1
    for connect in (raising.connect4, raising.connect6):
        try:
            connect("127.0.0.1", 1).close()
        except raising.Error as failure:
            assert failure.error
    try:
        raising.fromfd(999999, "client")
    except raising.Error as failure:
        number: Optional[int] = failure.errno
        assert number is not None
    try:
        raising.dns.toip("no.such.invalid", timeout=30)
    except polysock.Unresolved as failure:
        assert failure.errno is not None and failure.errno < 0
    name: str = raising.dns.gethostname()
    ip, host = raising.dns.toip("localhost")
    assert name and ip in host["ip"] and raising.dns.tohostname(HOST)[0]
    assert raising.dns.getaddrinfo(HOST)[0]["addr"] == HOST
    assert raising.dns.getnameinfo(HOST)[1] is None
    raising.sleep(0)
    assert raising.gettime() > raising.monotime() - raising.monotime()


def main() -> None:
    make_objects()
    transfer()
    iterate()
    wait()
    poll()
    set_options()
    move_descriptors()
    look_up()
    convert_failures()
    in_exception_style()
    polysock.sleep(0.001)
    start: float = polysock.monotime()
    now: float = polysock.gettime()
    assert now > 1e9 and polysock.monotime() >= start
    assert polysock.VERSION.split() == ["polysock", polysock.__version__]
    limit: int = polysock.SETSIZE
    assert limit > 0 and issubclass(polysock.Closed, ConnectionError)
    assert issubclass(polysock.Timeout, TimeoutError)
    assert issubclass(polysock.Oversized, polysock.Error)
    print("typed program: done")


if __name__ == "__main__":
    main()
