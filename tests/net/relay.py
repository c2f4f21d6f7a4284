# SPDX-License-Identifier: MIT
"""A link between two TUN devices that loses, delays, reorders and cuts.

It moves IP packets from one descriptor to the other, and the TCP of both ends is the
system's own. It does what netem would, which the kernels of many virtual machines lack.
A line of JSON on standard input changes it; the answer is a line with what it has done.
It looks at the version and the size of a packet, and changes none.
"""

from __future__ import annotations

import heapq
import json
import os
import random
import select
import struct
import sys
import time
from typing import Any, Dict, List, Tuple

QUEUE = 2000
"""Packets under way at most: more are lost, as by netem."""


def checksum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def too_big(packet: bytes, mtu: int) -> bytes:
    """The ICMP answer of a router to an IPv4 packet that it may not fragment."""
    quoted = packet[: (packet[0] & 15) * 4 + 8]
    icmp = struct.pack(">BBHHH", 3, 4, 0, 0, mtu) + quoted
    icmp = icmp[:2] + struct.pack(">H", checksum(icmp)) + icmp[4:]
    addresses = packet[16:20] + packet[12:16]
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(icmp), 0, 0, 64, 1, 0) + addresses
    return ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:] + icmp


class Relay:
    def __init__(self, near: int, far: int, seed: str) -> None:
        self.other = {near: far, far: near}
        self.dice = random.Random(seed)
        self.rules: Dict[str, float] = {}
        self.counts = {"moved": 0, "lost": 0, "cut": 0, "late": 0, "big": 0}
        self.under_way: List[Tuple[float, int, int, bytes]] = []
        self.number = 0

    def rule(self, name: str) -> float:
        return self.rules.get(name, 0.0)

    def take(self, packet: bytes, source: int) -> None:
        """Decides what becomes of a packet."""
        if self.rule("cut") or self.rule(f"cut{packet[0] >> 4}"):
            self.counts["cut"] += 1
            return
        mtu = int(self.rule("mtu"))
        if mtu and len(packet) > mtu and packet[0] >> 4 == 4:
            self.counts["big"] += 1
            if not self.rule("silent"):
                os.write(source, too_big(packet, mtu))
            return
        if self.dice.random() < self.rule("loss") or len(self.under_way) >= QUEUE:
            self.counts["lost"] += 1
            return
        delay = self.rule("delay") + self.dice.random() * self.rule("jitter")
        if self.dice.random() < self.rule("reorder"):
            delay += self.rule("behind")
            self.counts["late"] += 1
        self.number += 1
        due = time.monotonic() + delay
        heapq.heappush(self.under_way, (due, self.number, self.other[source], packet))

    def deliver(self) -> None:
        """Hands over what is due. A cut link loses what is under way, too."""
        while self.under_way and self.under_way[0][0] <= time.monotonic():
            _, _, to, packet = heapq.heappop(self.under_way)
            if self.rule("cut"):
                self.counts["cut"] += 1
                continue
            try:
                os.write(to, packet)
                self.counts["moved"] += 1
            except OSError:  # the device is down
                self.counts["cut"] += 1

    def read(self, source: int) -> None:
        for _ in range(64):
            try:
                self.take(os.read(source, 65536), source)
            except OSError:  # nothing is left, or the device is down
                return

    def patience(self) -> float:
        if not self.under_way:
            return 1.0
        return max(0.0, self.under_way[0][0] - time.monotonic())

    def run(self, control: int, answers: Any) -> None:
        for fd in self.other:
            os.set_blocking(fd, False)
        waits = select.poll()
        for fd in (*self.other, control):
            waits.register(fd, select.POLLIN)
        while True:
            for fd, _ in waits.poll(self.patience() * 1000):
                if fd in self.other:
                    self.read(fd)
                    continue
                line = os.read(control, 4096)
                if not line:
                    return
                self.rules = json.loads(line)
                print(json.dumps(self.counts), file=answers, flush=True)
            self.deliver()


if __name__ == "__main__":
    Relay(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]).run(0, sys.stdout)
