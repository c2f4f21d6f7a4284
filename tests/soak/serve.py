# SPDX-License-Identifier: MIT
"""A server for the soak test, on polysock. Argument: what it waits with, poller or
select. It prints its port. A client sends lines, and each has an answer:

    add ID N      remembers N for ID if N is one more than what it remembers: "ok N"
    last ID       what it remembers: "last ID N"
    flood N       N lines that count from 1, of 100 bytes each
    stalls        how often a client did not take what was sent: "stalls N"
    quit          ends the server
"""

from __future__ import annotations

import sys
from typing import Any, Dict, Iterable, List, Tuple

from polysock import Error, Timeout, raising

LONGEST, CHUNK, BUFFER, BACKLOG = 200, 50, 16384, 1024
remembered: Dict[bytes, int] = {}
stalls = 0


class Connection:
    """A client, what it has sent of a line, and what it has not received yet."""

    def __init__(self, sock: Any) -> None:
        sock.settimeout(0)
        sock.setoption("send-buffer-size", BUFFER)
        self.sock = sock
        self.part = b""
        self.out = b""
        self.sent = 0
        self.flooded = self.flood = 0

    def refill(self) -> bool:
        """Makes the next lines of a flood when all before them went out."""
        if self.sent < len(self.out):
            return True
        self.out, self.sent = b"", 0
        if self.flooded < self.flood:
            begin, end = self.flooded, min(self.flood, self.flooded + CHUNK)
            self.out = b"".join(b"%099d\n" % i for i in range(begin + 1, end + 1))
            self.flooded = end
        return self.out != b""

    def push(self) -> bool:
        """Sends what it can. Returns whether all is sent."""
        global stalls
        while self.refill():
            try:
                self.sent = self.sock.send(self.out, self.sent + 1)
            except Timeout as error:
                self.sent = error.last
                stalls += 1
                return False
        return True

    def answer(self, line: bytes) -> None:
        """Does what a line says."""
        words = line.split()
        if words[0] == b"add":
            number = int(words[2])
            if remembered.get(words[1], 0) + 1 != number:
                raise SystemExit(f"out of order: {line!r}")
            remembered[words[1]] = number
            self.out = b"ok %d\n" % number
        elif words[0] == b"last":
            self.out = b"last %s %d\n" % (words[1], remembered.get(words[1], 0))
        elif words[0] == b"flood":
            self.flooded, self.flood = 0, int(words[1])
        elif words[0] == b"stalls":
            self.out = b"stalls %d\n" % stalls
        elif words[0] == b"quit":
            raise SystemExit(0)
        else:
            raise SystemExit(f"what is {line!r}?")

    def pull(self) -> None:
        """Reads a line and answers it, if there is one."""
        try:
            line = self.sock.receive("*l", self.part, LONGEST)
        except Timeout as error:
            self.part = error.partial
            return
        self.part = b""
        self.answer(line)

    def handle(self) -> str:
        """Goes on with a client; returns what it waits for, or "" when it is gone.

        While it has not received an answer, nothing more is read from it.
        """
        try:
            if self.push():
                self.pull()
            return "r" if self.push() else "w"
        except Error:
            self.sock.close()
            return ""


def accept_all(server: Any) -> Iterable[Connection]:
    """Accepts what waits; a client that is gone already is passed over."""
    while True:
        try:
            yield Connection(server.accept())
        except Timeout:
            return
        except Error:
            continue


def run_select(server: Any) -> None:
    """Waits with select."""
    clients: Dict[Any, Tuple[Connection, str]] = {}
    while True:
        sets: Dict[str, List[Any]] = {"r": [server], "w": []}
        for sock, (_, events) in clients.items():
            sets[events].append(sock)
        readable, writable = raising.select(sets["r"], sets["w"])
        for sock in (*readable, *writable):
            if sock is server:
                for client in accept_all(server):
                    clients[client.sock] = client, "r"
                continue
            client, _ = clients[sock]
            events = client.handle()
            if events:
                clients[sock] = client, events
            else:
                del clients[sock]


def run_poller(server: Any) -> None:
    """Waits with a poller."""
    waits: Dict[Connection, str] = {}
    with raising.poller() as poller:
        poller.add(server, "r")
        while True:
            for client, _ in poller.wait():
                if client is server:
                    for made in accept_all(server):
                        poller.add(made.sock, "r", made)
                        waits[made] = "r"
                    continue
                events = client.handle()
                if not events:
                    del waits[client]
                elif events != waits[client]:
                    poller.modify(client.sock, events, client)
                    waits[client] = events


def main() -> None:
    """Runs the server."""
    server = raising.bind("127.0.0.1", 0, BACKLOG)
    server.settimeout(0)
    print(server.getsockname()[1], flush=True)
    {"poller": run_poller, "select": run_select}[sys.argv[1]](server)


main()
