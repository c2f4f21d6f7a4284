# SPDX-License-Identifier: MIT
"""An echo server: every line that a client sends goes back to it."""

import sys

from polysock import raising

server = raising.bind("127.0.0.1", sys.argv[1] if len(sys.argv) > 1 else 0)
print("listening", *server.getsockname())

while True:
    with server.accept() as client:
        client.settimeout(10)
        for line in client.lines("*L"):
            client.send(line)
