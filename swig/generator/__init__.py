# SPDX-License-Identifier: MIT
"""What swig/stubs.py writes: a module for each file. Its tables say how each type looks
there; a type that they lack is an error.
"""
