# SPDX-License-Identifier: MIT
"""A name server that answers late, never, wrongly, or with many addresses.

It serves UDP, as much of RFC 1035 as getaddrinfo asks for, and remembers what it was
asked. Each name has its own way to answer; a name that it does not know does not exist.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Dict, Sequence, Tuple

A, AAAA = 1, 28
OK, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5
GARBAGE = ("garbage", "short", "loop", "other id", "other name")


@dataclass
class Entry:
    """How a name is answered. `late`: seconds; `never`: not at all; `wrong`: SERVFAIL, …
    as a code, or a word of GARBAGE."""

    addresses: Sequence[str] = ()
    late: float = 0.0
    never: bool = False
    wrong: object = OK


def name_of(query: bytes) -> Tuple[str, int]:
    """The name in a query, and where its question ends."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode("ascii").lower())
        at += query[at] + 1
    return ".".join(labels), at + 5


def answer(query: bytes, end: int, kind: int, entry: Entry) -> bytes:
    code = entry.wrong if isinstance(entry.wrong, int) else OK
    records = b""
    count = 0
    for text in entry.addresses:
        packed = ipaddress.ip_address(text).packed
        if code == OK and len(packed) == (4 if kind == A else 16):
            records += struct.pack(">HHHIH", 0xC00C, kind, 1, 0, len(packed)) + packed
            count += 1
    head = query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, count, 0, 0)
    return head + query[12:end] + records


def spoil(reply: bytes, how: object) -> bytes:
    if how == "garbage":
        return bytes(range(7, 207))
    if how == "short":
        return reply[:11]
    if how == "loop":  # a record whose name points to itself
        end = name_of(reply)[1]
        loop = struct.pack(">HHHIH", 0xC000 | end, A, 1, 0, 4) + b"\x0a\x4d\0\x02"
        return reply[:6] + b"\0\1" + reply[8:end] + loop
    if how == "other id":
        return bytes([reply[0] ^ 0xFF]) + reply[1:]
    if how == "other name":
        return reply[:13] + b"zzz" + reply[16:]
    return reply


class NameServer:
    def __init__(self, addresses: Sequence[str]) -> None:
        self.entries: Dict[str, Entry] = {}
        self.asked: Counter[Tuple[str, int]] = Counter()
        self.silent = False  # no name is answered at all
        self.over = False
        self.threads = []
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            made = socket.socket(family, socket.SOCK_DGRAM)
            made.bind((address, 53))
            made.settimeout(0.1)
            thread = threading.Thread(target=self.serve, args=(made,), daemon=True)
            thread.start()
            self.threads.append(thread)

    def serve(self, on: socket.socket) -> None:
        while not self.over:
            try:
                query, peer = on.recvfrom(4096)
            except socket.timeout:
                continue
            name, end = name_of(query)
            kind = struct.unpack(">H", query[end - 4 : end - 2])[0]
            self.asked[name, kind] += 1
            entry = self.entries.get(name, Entry(wrong=NXDOMAIN))
            if entry.never or self.silent:
                continue
            reply = spoil(answer(query, end, kind, entry), entry.wrong)
            if not entry.late:
                on.sendto(reply, peer)
                continue
            args = (on, reply, peer, time.monotonic() + entry.late)
            threading.Thread(target=self.send_late, args=args, daemon=True).start()
        on.close()

    def send_late(
        self, on: socket.socket, reply: bytes, peer: Tuple[str, int], due: float
    ) -> None:
        time.sleep(max(0.0, due - time.monotonic()))
        if on.fileno() >= 0:
            on.sendto(reply, peer)

    def count(self, name: str) -> int:
        """How often a name was asked for, whatever for."""
        return sum(count for (asked, _), count in self.asked.items() if asked == name)

    def end(self) -> None:
        self.over = True
        for thread in self.threads:
            thread.join()
