# SPDX-License-Identifier: MIT
"""`python -m polysock_conformance`: the same as the command `polysock-conformance`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
