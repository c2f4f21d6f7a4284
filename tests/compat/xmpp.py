# SPDX-License-Identifier: MIT
"""A session of XMPP with Prosody: what its clients see.

The clients are Python's own sockets, so that Prosody alone runs on the library under
test. It must never decide what is right; it says what it saw.
"""

from __future__ import annotations

import base64
import re
import socket
import ssl
import threading
from pathlib import Path
from typing import Callable, Dict, List, Tuple

Line = Tuple[str, str, str]
OPEN = (
    "<?xml version='1.0'?><stream:stream to='localhost' version='1.0' "
    "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
)
TLS = "urn:ietf:params:xml:ns:xmpp-tls"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"


class Client:
    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=15)
        self.buffer = b""

    def send(self, text: str) -> None:
        self.sock.sendall(text.encode())

    def until(self, pattern: str) -> str:
        """Returns what matches next in the stream, and drops what came before it."""
        while True:
            match = re.search(pattern.encode(), self.buffer, re.S)
            if match:
                self.buffer = self.buffer[match.end() :]
                return match.group(0).decode()
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionError(f"closed; before that came {self.buffer[-500:]!r}")
            self.buffer += data

    def tls(self, folder: Path) -> str:
        context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        self.sock = context.wrap_socket(self.sock, server_hostname="localhost")
        return str(self.sock.version())

    def open(self) -> str:
        self.send(OPEN)
        return self.until("<stream:features>.*?</stream:features>")

    def login(self, user: str, password: str = "secret") -> str:
        plain = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        self.send(f"<auth xmlns='{SASL}' mechanism='PLAIN'>{plain}</auth>")
        return self.until("<success[^>]*>|<failure.*?</failure>")

    def bind(self, resource: str) -> str:
        self.open()
        self.send(
            f"<iq type='set' id='bind'><bind xmlns='{BIND}'>"
            f"<resource>{resource}</resource></bind></iq>"
        )
        answer = self.until("<iq[^>]*bind.*?</iq>")
        match = re.search("<jid>(.*?)</jid>", answer)
        return match.group(1) if match else answer

    def close(self) -> str:
        self.send("</stream:stream>")
        self.until("</stream:stream>")
        rest = self.sock.recv(100)
        self.sock.close()
        return repr(rest)


def play(
    prefix: str,
    ports: Dict[str, str],
    tls_folder: Path,
    only: Callable[[str], bool] = lambda name: True,
) -> List[Line]:
    lines: List[Line] = []
    c2s, direct, http = (int(ports[name]) for name in ("C2S", "DIRECT", "HTTP"))

    def case(name: str, body: Callable[[Callable[..., None]], None]) -> None:
        name = f"{prefix}.{name}"

        def say(label: str, *values: object) -> None:
            lines.append((name, label, ", ".join(map(str, values))))

        try:
            body(say)
            lines.append((name, "DONE", ""))
        except Exception as problem:
            lines.append((name, "RAISED", f"{type(problem).__name__}: {problem}"))

    def register(say: Callable[..., None]) -> None:
        for user in ("alice", "bob", "carol"):
            client = Client(c2s)
            client.open()
            client.send(
                "<iq type='set' id='reg'><query xmlns='jabber:iq:register'>"
                f"<username>{user}</username><password>secret</password></query></iq>"
            )
            say(user, client.until("<iq[^>]*/>|<iq.*?</iq>").count("type='result'"))
            say("close " + user, client.close())

    def features(say: Callable[..., None]) -> None:
        client = Client(c2s)
        text = client.open()
        say("mechanisms", *sorted(re.findall("<mechanism>(.*?)</mechanism>", text)))
        say("starttls", TLS in text)
        say("wrong password", re.sub("<text>.*</text>", "", client.login("alice", "x")))
        say("close", client.close())

    def message(say: Callable[..., None]) -> None:
        one, two = Client(c2s), Client(c2s)
        for client, user in ((one, "alice"), (two, "bob")):
            client.open()
            say("login " + user, client.login(user))
            say("bind " + user, client.bind("test"))
            client.send("<presence/>")
            client.until("<presence[^>]*>")
        bodies = ["hello", "two &amp; three", "x" * 100000]
        say("message", exchange(one, two, "bob", bodies))
        one.send(
            "<iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>"
        )
        say("ping", one.until("<iq[^>]*id='p'[^>]*>").count("type='result'"))
        say("many", exchange(one, two, "bob", [f"message {i}" for i in range(500)]))
        say(
            "back",
            exchange(two, one, "alice", [f"answer {i} " + "y" * i for i in range(500)]),
        )
        say("close", one.close(), two.close())

    def exchange(one: Client, two: Client, to: str, bodies: List[str]) -> int:
        """Sends bodies from one to two, and counts those that arrive as they were."""

        # Aside: Prosody may stop reading until the other has read.
        def write() -> None:
            for body in bodies:
                one.send(
                    f"<message to='{to}@localhost/test' type='chat'>"
                    f"<body>{body}</body></message>"
                )

        writer = threading.Thread(target=write)
        writer.start()
        got = [two.until("<body>.*?</body>")[6:-7] for _ in bodies]
        writer.join()
        return sum(a == b for a, b in zip(got, bodies))

    def starttls(say: Callable[..., None]) -> None:
        client = Client(c2s)
        client.open()
        client.send(f"<starttls xmlns='{TLS}'/>")
        client.until("<proceed[^>]*>")
        say("tls", client.tls(tls_folder))
        client.open()
        say("login", client.login("carol"))
        say("bind", client.bind("tls"))
        client.send("<presence/>")
        client.until("<presence[^>]*>")
        body = "z" * 200000
        client.send(f"<message to='carol@localhost/tls'><body>{body}</body></message>")
        say("message", client.until("<body>.*?</body>") == f"<body>{body}</body>")
        say("close", client.close())

    def direct_tls(say: Callable[..., None]) -> None:
        client = Client(direct)
        say("tls", client.tls(tls_folder))
        client.open()
        say("login", client.login("carol"))
        say("bind", client.bind("direct"))
        say("close", client.close())

    def not_xml(say: Callable[..., None]) -> None:
        client = Client(c2s)
        client.open()
        client.send("<<<")
        say(
            "error",
            re.sub(
                "<text.*?</text>", "", client.until("<stream:error>.*</stream:error>")
            ),
        )
        client.until("</stream:stream>")
        say("closed", client.sock.recv(100))

    def many(say: Callable[..., None]) -> None:
        clients = [Client(c2s) for _ in range(200)]
        say("streams", sum(SASL in client.open() for client in clients))
        say("closes", sum(client.close() == "b''" for client in clients))

    def web(say: Callable[..., None]) -> None:
        client = Client(http)
        for _ in range(2):  # on one connection
            client.send("GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
            say("absent", client.until("^HTTP/1.1 [0-9]+ [^\r]*"))
            client.until("\r\n\r\n.*</html>\\s*")
        client.sock.close()
        body = (
            "<body content='text/xml; charset=utf-8' hold='1' rid='1' to='localhost' "
            "wait='60' ver='1.6' xml:lang='en' "
            "xmlns='http://jabber.org/protocol/httpbind' xmpp:version='1.0' "
            "xmlns:xmpp='urn:xmpp:xbosh'/>"
        )
        client = Client(http)
        client.send(
            "POST /http-bind HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )
        say("bosh", client.until("^HTTP/1.1 [0-9]+ [^\r]*"))
        say("session", "sid=" in client.until("<body[^>]*>.*</body>"))
        client.sock.close()

    for name, body in (
        ("register", register),
        ("features", features),
        ("messages", message),
        ("starttls", starttls),
        ("direct tls", direct_tls),
        ("not xml", not_xml),
        ("200 clients", many),
        ("http", web),
    ):
        if only(f"{prefix}.{name}"):
            case(name, body)
    return lines
