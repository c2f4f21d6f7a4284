# SPDX-License-Identifier: MIT
"""Functions that convert between result tuples and exceptions."""

from __future__ import annotations

import functools
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

from ._core import failure
from .errors import Error

_Value = TypeVar("_Value")

if TYPE_CHECKING:  # typing keeps a reference to each overload for ever
    from typing_extensions import ParamSpec

    _Parameters = ParamSpec("_Parameters")

    class _Try(Protocol):
        """The type of ``try_`` and of the functions that ``newtry`` returns."""

        @overload
        def __call__(
            self, result: Union[Tuple[_Value, None], Tuple[None, str]], /
        ) -> _Value: ...
        @overload
        def __call__(
            self, result: Union[Tuple[_Value, None, None], Tuple[None, str, object]], /
        ) -> _Value: ...
        @overload
        def __call__(self, result: Tuple[Any, ...], /) -> Any: ...


__all__ = ["newtry", "protect", "try_"]


def newtry(finalizer: Optional[Callable[[], object]] = None) -> _Try:
    """Returns a function like ``try_`` that calls finalizer before it raises.

    An exception in the finalizer replaces the failure.
    """
    if finalizer is not None and not callable(finalizer):
        raise TypeError("bad argument #1 to 'newtry' (finalizer: function expected)")

    def attempt(result: Any, /) -> Any:
        """Returns the value of a result tuple, or raises its failure as an Error."""
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
        value = result[2] if len(result) > 2 and result[1] is error else None
        raise failure(error, value)

    return attempt


try_: _Try = newtry()
"""Gives the value of a result tuple, or raises its failure as an ``Error``."""


def protect(
    func: Callable[_Parameters, _Value],
) -> Callable[_Parameters, Union[Tuple[_Value, None], Tuple[None, str]]]:
    """Returns a function that returns (value, None), or (None, error) after an Error.

    Any other exception propagates.
    """
    if not callable(func):
        raise TypeError("bad argument #1 to 'protect' (func: function expected)")

    @functools.wraps(func)
    def protected(
        *args: _Parameters.args, **kwargs: _Parameters.kwargs
    ) -> Union[Tuple[_Value, None], Tuple[None, str]]:
        try:
            return func(*args, **kwargs), None
        except Error as error:
            return None, error.error

    return protected
