# SPDX-License-Identifier: MIT
"""The exceptions of polysock, and the functions that go between them and tuples.

Misuse never comes here: it is a TypeError or a ValueError everywhere.
"""

from __future__ import annotations

import errno as numbers
import functools
import os
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Optional,
    Protocol,
    Tuple,
    TypeVar,
    Union,
    overload,
)

if TYPE_CHECKING:
    from typing_extensions import ParamSpec

    Parameters = ParamSpec("Parameters")

__all__ = ["Closed", "Error", "Oversized", "Timeout", "newtry", "protect", "try_"]

Partial = Union[bytes, int, None]
Value = TypeVar("Value")


class Try(Protocol):
    """What ``try_`` is, and what ``newtry`` makes."""

    @overload
    def __call__(
        self, result: Union[Tuple[Value, None], Tuple[None, str]], /
    ) -> Value: ...
    @overload
    def __call__(
        self, result: Union[Tuple[Value, None, None], Tuple[None, str, object]], /
    ) -> Value: ...
    @overload
    def __call__(self, result: Tuple[Any, ...], /) -> Any: ...


class Error(OSError):
    """A failure, as the raising module and ``try_`` raise it.

    ``error`` is the failure in the words that a tuple would carry; ``partial`` what was
    received before it (bytes), or the index of the last byte sent (int), or None;
    ``errno`` the system's number behind it, or None (``try_`` looks it up by the words).
    """

    def __init__(
        self, error: str, partial: Partial = None, errno: Optional[int] = None
    ) -> None:
        super().__init__(errno, error)
        self.error = error
        self.partial = partial

    def __str__(self) -> str:
        return self.error

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.error, self.partial, self.errno)


class Timeout(Error, TimeoutError):
    """The failure 'timeout'."""


class Closed(Error, ConnectionError):
    """The failure 'closed'."""


class Oversized(Error):
    """The failure 'oversized'."""


_CLASSES = {"timeout": Timeout, "closed": Closed, "oversized": Oversized}


@functools.cache
def _number_of(error: str) -> Optional[int]:
    """Gives the system's number for its words, which are all that a tuple carries."""
    for number in numbers.errorcode:
        if os.strerror(number).lower() == error.lower():
            return number
    return None


def from_words(error: str, partial: Partial = None, errno: int = 0) -> Error:
    """Makes the exception of a failure; the C code calls this."""
    return _CLASSES.get(error, Error)(error, partial, errno or _number_of(error))


def newtry(finalizer: Optional[Callable[[], object]] = None) -> Try:
    """Makes a function like ``try_`` that calls finalizer before it raises.

    An exception in the finalizer takes the place of the failure.
    """
    if finalizer is not None and not callable(finalizer):
        raise TypeError("bad argument #1 to 'newtry' (finalizer: function expected)")

    def attempt(result: Any, /) -> Any:
        """Gives the value of a result tuple, or raises its failure as an Error."""
        if not isinstance(result, tuple) or len(result) < 2:
            raise TypeError("bad argument #1 to 'try_' (result: tuple expected)")
        if result[0] is not None:
            values = result[:-1] if result[-1] is None else result  # no error
            plain = all(item is None for item in values[1:])
            return values[0] if plain else values
        error = next((item for item in result[1:] if isinstance(item, str)), None)
        if error is None:
            return None
        if finalizer is not None:
            finalizer()
        partial = result[2] if len(result) > 2 and result[1] is error else None
        raise from_words(error, partial)

    return attempt


try_ = newtry()
"""Gives the value of a result tuple, or raises its failure as an ``Error``."""


def protect(
    func: Callable[Parameters, Value],
) -> Callable[Parameters, Union[Tuple[Value, None], Tuple[None, str]]]:
    """Makes a function that gives (value, None), or (None, error) if an Error is raised.

    Every other exception goes through.
    """
    if not callable(func):
        raise TypeError("bad argument #1 to 'protect' (func: function expected)")

    @functools.wraps(func)
    def protected(
        *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Union[Tuple[Value, None], Tuple[None, str]]:
        try:
            return func(*args, **kwargs), None
        except Error as error:
            return None, error.error

    return protected
