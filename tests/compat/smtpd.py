# SPDX-License-Identifier: MIT
"""An SMTP server (aiosmtpd) that writes each mail to a file of the folder it is given.

Files are numbered from 1, and complete before the client hears that its mail is
accepted. It refuses the recipient refused@example.org, and knows user "user" with
password "secret".
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult


class Mailbox:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address.startswith("refused@"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.count += 1
        path = self.folder / str(self.count)
        head = f"x-envelope: {envelope.mail_from} to {' '.join(envelope.rcpt_tos)}\r\n"
        path.write_bytes(head.encode() + envelope.content)
        return "250 accepted"


def authenticate(
    server: Any, session: Any, envelope: Any, mechanism: Any, data: Any
) -> Any:
    good = (data.login, data.password) == (b"user", b"secret")
    return AuthResult(success=good, handled=good)


async def main(folder: Path) -> None:
    mailbox = Mailbox(folder)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(
            mailbox,
            hostname="mail.example.org",
            authenticator=authenticate,
            auth_require_tls=False,
        ),
        "127.0.0.1",
        0,
    )
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main(Path(sys.argv[1])))
