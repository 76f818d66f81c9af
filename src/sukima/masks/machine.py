"""The few machine operations that Numba has no words for: addresses, atomics, calls through pointers, shuffles."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

__all__ = [
    "address_of",
    "at",
    "bits_of",
    "call_number",
    "call_team",
    "call_work",
    "claim",
    "float_of",
    "hold",
    "transpose8",
]

_I64 = ir.IntType(64)
_BYTES = ir.IntType(8).as_pointer()


@intrinsic
def at(_context: Any, address: Any, like: Any) -> Any:
    """``address`` as a pointer to numbers of the type ``like``."""
    signature = types.CPointer(like)(types.int64, like)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    return signature, generate


@intrinsic
def address_of(_context: Any, array: Any) -> Any:
    """The address of an array's first number (``array.ctypes.data``, without its overhead)."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        return builder.ptrtoint(data, _I64)

    return types.int64(array), generate


@intrinsic
def hold(_context: Any, array: Any) -> Any:
    """Keep an array until here: Numba frees it after its last use, and does not see the use of its address."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.get_dummy_value()

    return types.void(array), generate


@intrinsic
def claim(_context: Any, address: Any) -> Any:
    """Add one to the 64-bit number at ``address``, atomically, and return what it was."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.inttoptr(args[0], _I64.as_pointer())
        return builder.atomic_rmw("add", pointer, ir.Constant(_I64, 1), "monotonic")

    return types.int64(types.int64), generate


@intrinsic
def call_team(_context: Any, team: Any, work: Any, job: Any, threads: Any) -> Any:
    """``team(work, job, threads, 0)``: the C signature of ``GOMP_parallel``, through addresses."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        i32 = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [_BYTES, _BYTES, i32, i32])
        function = builder.inttoptr(args[0], kind.as_pointer())
        pointers = [builder.inttoptr(value, _BYTES) for value in args[1:3]]
        builder.call(function, [*pointers, builder.trunc(args[3], i32), ir.Constant(i32, 0)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64, types.int64), generate


@intrinsic
def call_work(_context: Any, work: Any, job: Any) -> Any:
    """``work(job)`` through its address."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [_I64])
        builder.call(builder.inttoptr(args[0], kind.as_pointer()), [args[1]])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def call_number(_context: Any, function: Any) -> Any:
    """``function()`` through its address, an ``int``: the C signature of ``omp_get_thread_num``."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(32), [])
        return builder.call(builder.inttoptr(args[0], kind.as_pointer()), [])

    return types.int32(types.int64), generate


@intrinsic
def transpose8(_context: Any, source: Any, ahead: Any, target: Any, along: Any) -> Any:
    """Transpose 8 by 8 bytes: rows at ``source`` lie ``ahead`` bytes apart, those at ``target`` ``along`` bytes."""
    i8, i32 = ir.IntType(8), ir.IntType(32)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source, ahead, target, along = args
        packed = ir.Constant(ir.VectorType(_I64, 8), ir.Undefined)
        for r in range(8):
            pointer = builder.inttoptr(builder.add(source, builder.mul(ahead, ir.Constant(_I64, r))), _I64.as_pointer())
            packed = builder.insert_element(packed, builder.load(pointer, align=1), ir.Constant(i32, r))
        flat = builder.bitcast(packed, ir.VectorType(i8, 64))
        order = ir.Constant(ir.VectorType(i32, 64), [8 * (k % 8) + k // 8 for k in range(64)])
        turned = builder.bitcast(builder.shuffle_vector(flat, flat, order), ir.VectorType(_I64, 8))
        for r in range(8):
            pointer = builder.inttoptr(builder.add(target, builder.mul(along, ir.Constant(_I64, r))), _I64.as_pointer())
            builder.store(builder.extract_element(turned, ir.Constant(i32, r)), pointer, align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64, types.int64), generate


@intrinsic
def float_of(_context: Any, bits: Any) -> Any:
    """The float32 with this 32-bit pattern."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.uint32), generate


@intrinsic
def bits_of(_context: Any, number: Any) -> Any:
    """The 32-bit pattern of a float32."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(32))

    return types.uint32(types.float32), generate
