# SPDX-License-Identifier: MIT
"""Several processes on one port: start it twice with the same port, and the system shares
the connections among them. When one ends, the others go on. The second argument is its
name.
"""

import sys

from polysock import Error, raising

arguments = [*sys.argv[1:], *["7007", "somebody"][len(sys.argv) - 1 :]]
server = raising.tcp4()
server.setoption("reuseaddr", True)
server.setoption("reuseport", True)  # before bind, in each of the processes
server.bind("127.0.0.1", arguments[0])
server.listen(128)
print(*server.getsockname())

while True:
    with server.accept() as client:
        client.settimeout(10, "t")
        try:
            line = client.receive("*l", b"", 4096)
            client.send(arguments[1].encode() + b" heard " + line + b"\n")
        except Error:
            pass  # it has gone, or took too long
