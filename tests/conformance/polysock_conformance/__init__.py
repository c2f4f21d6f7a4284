# SPDX-License-Identifier: MIT
"""The conformance suite of polysock: scenarios of TCP, and the driver that plays them
against a testee in any language.

The version is that of the suite. It changes by its own rules, which docs/conformance.md
states, and not with the library's.
"""

__version__ = "1.0.0"
