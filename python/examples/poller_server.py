# SPDX-License-Identifier: MIT
"""Answers each line with itself, to as many clients as there are descriptors. One that is
silent, does not read or never ends its line is dropped after LIMIT seconds, and holds
nobody up.
"""

import math
import sys
from collections import defaultdict
from typing import DefaultDict, List

from polysock import Closed, Error, Timeout, raising

LIMIT = 10
"""Seconds for a line and its answer."""
LONGEST = 4096
"""Bytes of a line."""


class Connection:
    def __init__(self, client: raising.Socket, now: float) -> None:
        self.client = client
        self.ends = now + LIMIT
        self.events = "r"
        self.partial = self.line = b""
        self.sent = 0

    def serve(self, now: float) -> None:
        """Receives a line or sends it, once: what is still buffered makes the client
        ready in the next wait. A failure tells how far it went."""
        try:
            if not self.line:
                self.line = self.client.receive("*L", self.partial, LONGEST)
                self.partial, self.sent = b"", 0
            self.client.send(self.line, self.sent + 1)
        except Timeout as failure:
            self.partial = failure.partial or b""
            self.sent = failure.last or 0
        else:
            self.line = b""
            self.ends = now + LIMIT
        if self.line and self.events == "r":
            self.events = "w"
            poller.modify(self.client, "w")
        elif not self.line and self.events == "w":
            self.events = "r"
            poller.modify(self.client, "r")


# Connections by the second in which their time may be over.
due: DefaultDict[int, List[Connection]] = defaultdict(list)


def accept_all(now: float) -> bool:
    """Returns whether there may be more later; else there are no descriptors left."""
    while True:
        try:
            client = server.accept()
            connection = Connection(client, now)
            client.settimeout(0)
            client.setoption("tcp-nodelay", True)  # answers go out as they come
            poller.add(client, "r", connection)
            due[math.ceil(connection.ends)].append(connection)
        except Timeout:
            return True
        except Closed:
            pass  # it has gone before it was accepted
        except Error:
            poller.remove(server)
            return False


def expire(connections: List[Connection], now: float) -> None:
    """Drops those whose time is over, and looks again later at those that got more."""
    for connection in connections:
        if connection.client.getfd() == -1:
            continue
        if connection.ends > now:
            due[math.ceil(connection.ends)].append(connection)
        else:
            connection.client.close()  # so it leaves the poller


server = raising.bind("127.0.0.1", sys.argv[1] if len(sys.argv) > 1 else 7007, 128)
server.settimeout(0)
print(*server.getsockname())
poller = raising.poller()
poller.add(server, "r")
accepting = True
second = math.floor(raising.monotime())

while True:
    try:
        ready = poller.wait(1)
    except Timeout:
        ready = []
    now = raising.monotime()
    for token, _ in ready:
        if token is server:
            accepting = accept_all(now)
            continue
        try:
            token.serve(now)
        except Error:
            token.client.close()  # it has gone, or its line is too long
    while second < math.floor(now):
        second += 1
        expire(due.pop(second, []), now)
        if not accepting:  # perhaps there are descriptors again
            poller.add(server, "r")
            accepting = True
