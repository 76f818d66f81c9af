"""Functions that compilers call instead of following them."""

from __future__ import annotations

from typing import Any, TypeVar

__all__ = ["constant"]

Function = TypeVar("Function")


def constant(function: Function) -> Function:
    """``torch.compiler.assume_constant_result``, which would load the compiler and so cost every process a second.

    The arguments must be constants of the graph too.
    """
    marked: Any = function
    marked._dynamo_marked_constant = True
    return function
