"""Products of matrices from compiled code, by the routine that torch itself calls.

Matrices are given by their addresses and lie row by row in memory; numbers are float32.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from pathlib import Path
from typing import Any

import torch
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["product", "routine"]

_I8, _F32 = ir.IntType(8), ir.FloatType()


@cache
def routine() -> int:
    """The address of ``sgemm_``, which torch has of a BLAS library; 0 where it is not known to be there."""
    if sys.platform != "linux" or sys.byteorder != "little":
        return 0
    try:
        library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
        return ctypes.cast(library.sgemm_, ctypes.c_void_p).value or 0
    except (AttributeError, OSError):
        return 0


@intrinsic
def product(
    _context: Any, routine: Any, a: Any, a_turned: Any, b: Any, b_turned: Any, out: Any,  # noqa: ARG001  # names for callers
    rows: Any, inner: Any, columns: Any, add: Any,  # noqa: ARG001
) -> Any:  # fmt: skip
    """``a · b`` into ``out``, to which it is added if ``add``; what is ``turned`` lies in memory as its transpose.

    ``a`` has so many ``rows``, as ``out``, ``b`` so many ``columns``; ``inner`` is what they have in common.
    """

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        routine, a, a_turned, b, b_turned, out, rows, inner, columns, add = args
        kind = ir.FunctionType(ir.VoidType(), [_I8.as_pointer()] * 13)

        def passed(value: Any) -> Any:
            """Fortran takes everything by its address; where it reads 32 bits of a whole number, these come first."""
            place = cgutils.alloca_once(builder, value.type)
            builder.store(value, place)
            return builder.bitcast(place, _I8.as_pointer())

        def letter(turned: Any) -> Any:
            return passed(builder.select(turned, ir.Constant(_I8, ord("T")), ir.Constant(_I8, ord("N"))))

        def pointer(address: Any) -> Any:
            return builder.inttoptr(address, _I8.as_pointer())

        # Fortran's matrices lie column by column: seen so, the operands are their transposes and change places.
        builder.call(
            builder.inttoptr(routine, kind.as_pointer()),
            [
                letter(b_turned), letter(a_turned), passed(columns), passed(rows), passed(inner),
                passed(ir.Constant(_F32, 1.0)),
                pointer(b), passed(builder.select(b_turned, inner, columns)),
                pointer(a), passed(builder.select(a_turned, rows, inner)),
                passed(builder.select(add, ir.Constant(_F32, 1.0), ir.Constant(_F32, 0.0))),
                pointer(out), passed(columns),
            ],
        )  # fmt: skip
        return context.get_dummy_value()

    whole, flag = types.int64, types.boolean
    signature = types.void(whole, whole, flag, whole, flag, whole, whole, whole, whole, flag)
    return signature, generate
