# SPDX-License-Identifier: MIT
"""From the peer steps of a scenario to the verbs of its peers.

Arguments are evaluated and what a verb gives is kept here. Nothing here touches a socket.
"""

from __future__ import annotations

from typing import Callable, Union

from .match import Comparison, Env, evaluate
from .peer import Peer, PeerError
from .transcript import AnyObject, Hashed, Like, Pattern, PeerStep, Typed, Whatever
from .values import BYTES, EITHER, Data, Value, show

Argument = Union[str, Pattern]


class Peers:
    """The peers of one run, by name; "" is the one that needs no name."""

    def __init__(
        self,
        env: Env,
        limit: float,
        log: Callable[[str, str], None],
        process: Callable[[], int],
    ) -> None:
        self.env, self.limit, self.log, self.process = env, limit, log, process
        self.peers: dict[str, Peer] = {}

    def peer(self, name: str) -> Peer:
        if name not in self.peers:
            who = f"peer:{name}" if name else "peer"
            self.peers[name] = Peer(self.limit, lambda text: self.log(who, text))
        return self.peers[name]

    def finish(self) -> None:
        for peer in self.peers.values():
            peer.finish()

    def _value(self, item: Argument) -> Value:
        if isinstance(item, (str, Typed, Like, Hashed, AnyObject, Whatever)):
            raise PeerError("a value is missing")
        return evaluate(item, self.env)

    def _bytes(self, item: Argument) -> bytes:
        value = self._value(item)
        if not isinstance(value, Data):
            raise PeerError(f"{show(value)} should be bytes")
        return value.data

    def _number(self, item: Argument) -> float:
        value = self._value(item)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise PeerError(f"{show(value)} should be a number")
        return value

    def _keep(self, step: PeerStep, *values: Value) -> None:
        for name, value in zip(step.keep, values):
            self.env.values[name] = value

    def _where(self, step: PeerStep, host: str, port: int) -> None:
        prefix = f"{step.name}." if step.name else ""
        self.env.values[f"{prefix}host"] = Data(host.encode())
        self.env.values[f"{prefix}port"] = port
        self.log(f"peer:{step.name}" if step.name else "peer", f"{host} {port}")

    def do(self, step: PeerStep) -> None:
        """Plays one peer step; PeerError or Mismatch when it cannot be done."""
        peer, args = self.peer(step.name), list(step.args)
        try:
            getattr(self, f"_do_{step.verb}")(peer, step, args)
        except OSError as error:
            raise PeerError(f"peer {step.verb}: {error}") from None

    def _do_listen(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        family, numbers = "ipv4", {"backlog": 16.0}
        while args:
            word = args.pop(0)
            if word in ("ipv4", "ipv6", "dual"):
                family = str(word)
            elif isinstance(word, str) and args:
                numbers[word] = self._number(args.pop(0))
            else:
                raise PeerError("peer listen wants words and numbers")
        buffers = int(numbers["buffers"]) if "buffers" in numbers else None
        self._where(step, *peer.listen(family, int(numbers["backlog"]), buffers))

    def _do_refuse(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        self._where(step, *peer.refuse(*[str(word) for word in args]))

    def _do_stall(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        self._where(step, *peer.stall(*[str(word) for word in args]))

    def _do_unstall(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        peer.unstall()

    def _do_accept(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        name = str(args[1]) if args else ""
        # The nameless peer is called `peer` where it has to be named.
        owner = self.peer("" if name == "peer" else name) if args else None
        peer.accept(owner)

    def _do_connect(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        host = self._bytes(args[0]).decode()
        port = int(self._number(args[1]))
        rest = args[2:]
        if rest[:1] == ["!"]:
            peer.fail_to_connect(host, port, self._bytes(rest[1]).decode())
            return
        buffers = int(self._number(rest[1])) if rest[:1] == ["buffers"] else None
        peer.connect(host, port, buffers)
        assert peer.connection is not None
        self._where(step, *peer.connection.getsockname()[:2])

    def _do_send(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        pieces: list[bytes | float] = []
        while args:
            item = args.pop(0)
            if item == "pause":
                pieces.append(float(self._number(args.pop(0))))
            else:
                pieces.append(self._bytes(item))
        peer.send(pieces)

    def _do_expect(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        what = args[0]
        if what == "eof":
            peer.expect_eof()
        elif what == "reset":
            peer.expect_reset()
        elif what == "nothing":
            peer.expect_nothing(self._number(args[1]) if args[1:] else 0.1)
        elif isinstance(what, Hashed):
            got = peer.read(what.length)
            Comparison(self.env).value(what, Data(got, EITHER), BYTES)
        else:
            peer.expect_data(self._bytes(what))

    def _do_read(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        if args[0] == "all":
            data = peer.read_all()
        else:
            data = peer.read(int(self._number(args[0])))
        self._keep(step, Data(data))

    def _do_flood(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        peer.flood(self._bytes(args[0]))

    def _do_adopt(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        peer.adopt(self.process(), int(self._number(args[0])))

    def _do_shutdown(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        peer.shutdown()

    def _do_reset(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        peer.reset()

    def _do_close(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        peer.close(*[str(word) for word in args])

    def _do_sockname(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        host, port = peer._conn().getsockname()[:2]
        self._keep(step, Data(host.encode()), port)

    def _do_peername(self, peer: Peer, step: PeerStep, args: list[Argument]) -> None:
        host, port = peer._conn().getpeername()[:2]
        self._keep(step, Data(host.encode()), port)
