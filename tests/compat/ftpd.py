# SPDX-License-Identifier: MIT
"""An FTP server (pyftpdlib) on the folder that it is given.

It knows user "user" with password "secret", and says its port when it listens.
"""

import logging
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

logging.basicConfig(level=logging.WARNING)
authorizer = DummyAuthorizer()
authorizer.add_user("user", "secret", sys.argv[1], perm="elradfmw")
FTPHandler.authorizer = authorizer
FTPHandler.auth_failed_timeout = 0
server = FTPServer(("127.0.0.1", 0), FTPHandler)
print("port", server.socket.getsockname()[1], flush=True)
server.serve_forever()
