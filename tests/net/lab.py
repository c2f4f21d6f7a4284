# SPDX-License-Identifier: MIT
"""Two network namespaces with a link that can be spoilt between them.

The far one is that of the tests themselves: raw peers and the name server are here. The
programs under test run in the near one. Everything ends with the process: nothing of the
machine's own network, names or settings is touched.
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Union

HERE = Path(__file__).resolve().parent
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000

NEAR4, FAR4 = "10.77.0.1", "10.77.0.2"
NEAR6, FAR6 = "fd77::1", "fd77::2"
DEAD4, DEAD6 = "10.77.0.99", "fd77::99"
"""Addresses that nobody has: what is sent there vanishes."""

SETTINGS = {
    "net/ipv6/conf/all/disable_ipv6": "0",
    "net/ipv6/conf/default/accept_dad": "0",
    "net/ipv6/conf/default/router_solicitations": "0",
}


def tun(name: str) -> int:
    """Makes a TUN device, and gives the descriptor of its packets."""
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    request = struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI)
    fcntl.ioctl(fd, TUNSETIFF, request)
    return fd


def run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"


class Place:
    """A namespace, and how commands are started in it."""

    def __init__(self, device: str, prefix: List[str]) -> None:
        self.device, self.prefix = device, prefix

    def ip(self, *words: str) -> None:
        run(*self.prefix, "ip", *words)

    def give(self, address: str) -> None:
        """Gives the device one more address."""
        size, flags = ("64", ["nodad"]) if ":" in address else ("24", [])
        self.ip("addr", "add", f"{address}/{size}", "dev", self.device, *flags)

    def take(self, family: int) -> None:
        """Takes all addresses of a family from the device."""
        self.ip(f"-{family}", "addr", "flush", "dev", self.device)
        if family == 6:  # as where IPv6 is off
            self.set("net/ipv6/conf/all/disable_ipv6", 1)

    def set(self, name: str, value: Union[str, int]) -> None:
        """Changes a setting of the namespace."""
        text = f"echo {value} >/proc/sys/{name}"
        run(*self.prefix, "sh", "-c", text)

    def up(self, mtu: int = 1500) -> None:
        self.ip("link", "set", "lo", "up")
        self.ip("link", "set", self.device, "mtu", str(mtu), "up")

    def down(self) -> None:
        self.ip("link", "set", self.device, "down")


class Lab:
    def __init__(self, seed: str) -> None:
        self.holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo ready; exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.holder.stdout is not None
        assert self.holder.stdout.readline() == b"ready\n"
        inside = f"--net=/proc/{self.holder.pid}/ns/net"
        self.near = Place("near0", ["nsenter", inside])
        self.far = Place("far0", [])
        ends = [tun("near0"), tun("far0")]
        run("ip", "link", "set", "near0", "netns", str(self.holder.pid))
        for place, addresses in ((self.near, [NEAR4, NEAR6]), (self.far, [FAR4, FAR6])):
            for name, value in SETTINGS.items():
                place.set(name, value)
            place.up()
            for address in addresses:
                place.give(address)
        self.relay = subprocess.Popen(
            [sys.executable, str(HERE / "relay.py"), *map(str, ends), seed],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=ends,
        )
        for fd in ends:
            os.close(fd)
        self.link()

    def link(self, **rules: float) -> Dict[str, int]:
        """Spoils the link: loss, delay, jitter, reorder and behind, mtu and silent, cut,
        cut4, cut6. Without any it is good. Gives what the link has done by now."""
        assert self.relay.stdin is not None and self.relay.stdout is not None
        self.relay.stdin.write(json.dumps(rules).encode() + b"\n")
        self.relay.stdin.flush()
        counts: Dict[str, int] = json.loads(self.relay.stdout.readline())
        return counts

    def end(self) -> None:
        for process in (self.relay, self.holder):
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                pipe.close()
            process.wait()


def obstacle() -> str:
    """Why there can be no lab here; the empty text when there can."""
    try:
        lab = Lab("0")
    except (OSError, AssertionError) as error:
        return str(error) or type(error).__name__
    lab.end()
    return ""


def write(path: Union[str, Path], text: Any) -> None:
    Path(path).write_text(text, encoding="ascii")
