# SPDX-License-Identifier: MIT
"""An echo server: every line that a client sends goes back to it."""

import sys

import polysock

server, error = polysock.bind("127.0.0.1", sys.argv[1] if len(sys.argv) > 1 else 0)
if error:
    sys.exit(error)
print("listening", *server.getsockname(), flush=True)

while True:
    client, error = server.accept()
    with client:
        for line in client.lines("*L"):
            client.send(line)
