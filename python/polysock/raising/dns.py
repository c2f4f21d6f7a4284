# SPDX-License-Identifier: MIT
"""Names and addresses, as polysock.dns gives them. Failures are raised."""

from .._core import raising_dns_getaddrinfo as getaddrinfo
from .._core import raising_dns_gethostname as gethostname
from .._core import raising_dns_getnameinfo as getnameinfo
from .._core import raising_dns_tohostname as tohostname
from .._core import raising_dns_toip as toip

__all__ = ["getaddrinfo", "gethostname", "getnameinfo", "tohostname", "toip"]
