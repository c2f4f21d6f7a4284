# SPDX-License-Identifier: MIT
"""The same as many.lua, in Python."""

import sys

import polysock
from polysock import raising

most = int(sys.argv[1])


def memory() -> int:
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


poller = raising.poller()
server = raising.bind("127.0.0.1", 0, 128)
port = server.getsockname()[1]
before = memory()
count = (most - 40) // 2
clients, others = [], []
for number in range(count):
    clients.append(raising.connect("127.0.0.1", port))
    others.append(server.accept())
    poller.add(others[-1], "r", number)
print("open", count, others[-1].getfd(), (memory() - before) * 1024 // (2 * count))

chosen = set(range(0, count, count // 10))
for number in chosen:
    clients[number].send(b"%d\n" % number)
print("poller", len(chosen ^ {number for number, _ in poller.wait(30)}))
place = {one: number for number, one in enumerate(others)}
ready = raising.select(others, None, 30)[0]
print("select", len(chosen ^ {place[one] for one in ready}))
good = all(others[number].receive() == b"%d" % number for number in chosen)
print("lines", str(good).lower())

spare = []
while True:
    made, error = polysock.tcp4()
    if made is None:
        break
    spare.append(made)
print("full", error)
print("refused", polysock.connect("127.0.0.1", port)[1])
for one in spare:
    one.close()
raising.connect("127.0.0.1", port).close()
for client, other in zip(clients, others):
    client.setoption("linger", {"on": True, "timeout": 0})
    client.close()
    other.close()
print("left", poller.count())
