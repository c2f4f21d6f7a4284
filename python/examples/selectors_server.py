# SPDX-License-Identifier: MIT
"""The line server of poller_server.py on the ``selectors`` of the standard library.

An event tells that bytes have come, and not that bytes are buffered: after one event all
lines are to be taken, until a call answers with a timeout. wants() says which event to
wait for then. Who sends without end has a turn like everybody.
"""

import selectors
import sys
from typing import Dict, List

from polysock import Closed, Error, Timeout, raising

LIMIT = 10
"""Seconds for a line and its answer."""
LONGEST = 4096
"""Bytes of a line."""
TURN = 100
"""Lines that a client may be answered before others are."""
EVENTS = {"r": selectors.EVENT_READ, "w": selectors.EVENT_WRITE}


class Connection:
    def __init__(self, client: raising.Socket, now: float) -> None:
        self.client = client
        self.ends = now + LIMIT
        self.events = "r"
        self.partial = self.line = b""
        self.sent = 0

    def serve(self, now: float) -> bool:
        """Goes on until the client has to be waited for. Returns whether it had to stop
        before."""
        try:
            for _ in range(TURN):
                if not self.line:
                    self.line = self.client.receive("*L", self.partial, LONGEST)
                    self.partial, self.sent = b"", 0
                self.client.send(self.line, self.sent + 1)
                self.line = b""
                self.ends = now + LIMIT
            return True
        except Timeout as failure:
            self.partial = failure.partial or b""
            self.sent = failure.last or 0
        wanted = self.client.wants() or "r"
        if wanted != self.events:
            self.events = wanted
            selector.modify(self.client, EVENTS[wanted], self)
        return False

    def drop(self) -> None:
        selector.unregister(self.client)  # while it has its descriptor
        self.client.close()
        del connections[self]


connections: Dict[Connection, None] = {}


def accept_all(now: float) -> bool:
    """Returns whether there may be more later; else there are no descriptors left."""
    while True:
        try:
            client = server.accept()
        except Timeout:
            return True
        except Closed:
            continue  # it has gone before it was accepted
        except Error:
            selector.unregister(server)
            return False
        client.settimeout(0)
        client.setoption("tcp-nodelay", True)  # answers go out as they come
        connection = Connection(client, now)
        selector.register(client, selectors.EVENT_READ, connection)
        connections[connection] = None


server = raising.bind("127.0.0.1", sys.argv[1] if len(sys.argv) > 1 else 7007, 128)
server.settimeout(0)
print(*server.getsockname())
selector = selectors.DefaultSelector()
selector.register(server, selectors.EVENT_READ)
accepting = True
looked = raising.monotime()
unfinished: List[Connection] = []

while True:
    ready = [key.data for key, _ in selector.select(0 if unfinished else 1)]
    now = raising.monotime()
    ready, unfinished = list(dict.fromkeys(unfinished + ready)), []
    for connection in ready:
        if connection is None:
            accepting = accept_all(now)
            continue
        try:
            if connection.serve(now):
                unfinished.append(connection)
        except Error:
            connection.drop()  # it has gone, or its line is too long
    if now - looked < 1:
        continue
    looked = now
    for connection in [its for its in connections if its.ends <= now]:
        connection.drop()
    unfinished = [its for its in unfinished if its in connections]
    if not accepting:  # perhaps there are descriptors again
        selector.register(server, selectors.EVENT_READ)
        accepting = True
