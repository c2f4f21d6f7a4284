# SPDX-License-Identifier: MIT
"""One half of `make demo`, in Python: `demo.py serve` is the server, `demo.py talk PORT`
the client. demo.lua says the same things on the wire."""

import sys

import polysock


def show(call: str, result: object) -> None:
    print(f"python  {call:<28} {result}")


def serve() -> None:
    server = polysock.try_(polysock.bind("127.0.0.1", 0))
    print(server.getsockname()[1], flush=True)
    with polysock.try_(server.accept()) as client:
        server.close()  # so that a second connect is refused
        client.send(b"a line\r\n")
        client.send(b"0123456789")
        client.send(b"half a l")
        show("server.receive()", client.receive())  # the client has seen its timeout
        client.send(b"ine\n")


def talk(port: str) -> None:
    with polysock.try_(polysock.connect("127.0.0.1", port)) as client:
        show("client.receive()", client.receive())
        show("client.receive(10)", client.receive(10))
        client.settimeout(0.2)
        data, error, partial = client.receive()
        show("client.receive()", (data, error, partial))
        client.send(b"go on\n")
        client.settimeout(None)
        show("client.receive('*l', partial)", client.receive("*l", partial))
        show("client.receive()", client.receive())
    show("polysock.connect(...)", polysock.connect("127.0.0.1", port))


if sys.argv[1] == "serve":
    serve()
else:
    talk(sys.argv[2])
