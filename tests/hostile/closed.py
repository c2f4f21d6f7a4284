# SPDX-License-Identifier: MIT
"""The same as closed.lua, in Python; and a thread waits while another closes."""

import sys
import threading

from polysock import dns, raising, select

first = raising.connect(sys.argv[1], int(sys.argv[2]))


def say(*words: object) -> None:
    first.send((" ".join(map(str, words)) + "\n").encode())


try:
    poller = raising.poller()
    server = raising.bind("127.0.0.1", 0)
    say("numbers", first.getfd(), poller.getfd(), server.getfd())
    poller.add(first, "r")
    poller.add(server, "r")
    client = raising.connect("localhost", server.getsockname()[1])
    for token, events in poller.wait(30):
        say("ready", str(token is server).lower(), events)
    other = server.accept()
    poller.remove(first)
    assert select([other], [first], 30)[1] == [first]
    client.send(b"line\n")
    say("line", other.receive().decode())
    say("asked", first.receive().decode())
    other.settimeout(0.05)
    try:
        other.receive()
    except raising.Timeout as error:
        say(error.error)
    other.settimeout(None)
    results: list[BaseException] = []

    def wait() -> None:
        try:
            other.receive()
        except raising.Closed as error:
            results.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    assert dns.toip("localhost")[0]
    for one in (poller, server, client, other):
        one.close()
    thread.join()
    assert len(results) == 1
    say("again", raising.tcp4().getfd())
    say("done", "true", "nil")
except BaseException as error:
    say("done", "false", repr(error))
