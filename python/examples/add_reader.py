# SPDX-License-Identifier: MIT
"""The line server of poller_server.py on the loop of asyncio, by add_reader and
add_writer, as any loop with callbacks may drive these objects.

An event tells that bytes have come, and not that bytes are buffered: after one event all
lines are to be taken, until a call answers with a timeout. wants() says which event to
wait for then. Who sends without end has a turn like everybody.
"""

import asyncio
import sys

from polysock import Closed, Error, Timeout, raising

LIMIT = 10
"""Seconds for a line and its answer."""
LONGEST = 4096
"""Bytes of a line."""
TURN = 100
"""Lines that a client may be answered before others are."""
PAUSE = 1
"""Seconds until the next try when there are no descriptors."""


class Connection:
    def __init__(self, client: raising.Socket) -> None:
        self.client = client
        self.partial = self.line = b""
        self.sent = 0
        self.waits_for = ""
        self.timer = loop.call_later(LIMIT, self.drop)
        self.wait_for("r")

    def wait_for(self, event: str) -> None:
        if event == self.waits_for:
            return
        self.wait_no_more()
        if event == "w":
            loop.add_writer(self.client, self.serve)
        else:
            loop.add_reader(self.client, self.serve)
        self.waits_for = event

    def wait_no_more(self) -> None:
        loop.remove_reader(self.client)
        loop.remove_writer(self.client)

    def drop(self) -> None:
        self.timer.cancel()
        self.wait_no_more()  # while it has its descriptor
        self.client.close()

    def serve(self) -> None:
        """Goes on until the client has to be waited for, or its turn is over."""
        if self.client.getfd() == -1:
            return
        before = self.timer
        try:
            for _ in range(TURN):
                if not self.line:
                    self.line = self.client.receive("*L", self.partial, LONGEST)
                    self.partial, self.sent = b"", 0
                self.client.send(self.line, self.sent + 1)
                self.line = b""
                if self.timer is before:
                    before.cancel()
                    self.timer = loop.call_later(LIMIT, self.drop)
            loop.call_soon(self.serve)
        except Timeout as failure:
            self.partial = failure.partial or b""
            self.sent = failure.last or 0
            self.wait_for(self.client.wants() or "r")
        except Error:
            self.drop()  # it has gone, or its line is too long


def accept_all() -> None:
    while True:
        try:
            client = server.accept()
        except Timeout:
            return
        except Closed:
            continue  # it has gone before it was accepted
        except Error:
            loop.remove_reader(server)
            loop.call_later(PAUSE, loop.add_reader, server, accept_all)
            return
        client.settimeout(0)
        client.setoption("tcp-nodelay", True)  # answers go out as they come
        Connection(client)


server = raising.bind("127.0.0.1", sys.argv[1] if len(sys.argv) > 1 else 7007, 128)
server.settimeout(0)
print(*server.getsockname())
loop = asyncio.new_event_loop()
loop.add_reader(server, accept_all)
loop.run_forever()
