# SPDX-License-Identifier: MIT
"""An echo server, as README shows it. tests/examples has clients that misbehave."""

import sys

from polysock import Error, raising

port = sys.argv[1] if len(sys.argv) > 1 else 7007
server = raising.bind("127.0.0.1", port)
print(*server.getsockname())

while True:
    with server.accept() as client:
        client.settimeout(10, "t")  # for each line
        client.setdeadline(60)  # for all of them
        try:
            while True:
                line = client.receive("*L", b"", 4096)
                client.send(line)
        except Error:
            pass  # it has gone, or took too long
