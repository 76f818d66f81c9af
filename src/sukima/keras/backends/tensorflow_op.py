"""The CPU kernels as an operation of TensorFlow: graphs run them with no Python in between.

The operation is registered through TensorFlow's C interface for plug-ins, ``tensorflow/c/ops.h`` and
``tensorflow/c/kernels.h``; what TensorFlow then calls is compiled by Numba.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numba import carray, cfunc
from tensorflow.python.eager import context, execute
from tensorflow.python.framework import op_def_library

from sukima.masks import team
from sukima.masks.compiled import start, worker
from sukima.masks.machine import address_of, at, bits_of, hold

__all__ = ["DTYPES", "masked", "registered"]

DTYPES = ("float32", "float64", "bfloat16", "float16")
"""What the operation takes."""

_NAME = "SukimaMasked"
_SHARED = 1 << 18  # elements from which several threads work on a mask; TensorFlow's own want the cores too
_RANK = 254  # the most dimensions that a tensor has

_LONG, _INT = ctypes.c_int64, ctypes.c_int32  # a pointer is a number here

_FUNCTIONS: dict[str, tuple[Any, ...]] = {  # result, arguments
    "TF_NewStatus": (_LONG,),
    "TF_DeleteStatus": (None, _LONG),
    "TF_GetCode": (_INT, _LONG),
    "TF_NewOpDefinitionBuilder": (_LONG, ctypes.c_char_p),
    "TF_OpDefinitionBuilderAddAttr": (None, _LONG, ctypes.c_char_p),
    "TF_OpDefinitionBuilderAddInput": (None, _LONG, ctypes.c_char_p),
    "TF_OpDefinitionBuilderAddOutput": (None, _LONG, ctypes.c_char_p),
    "TF_OpDefinitionBuilderSetShapeInferenceFunction": (None, _LONG, _LONG),
    "TF_RegisterOpDefinition": (None, _LONG, _LONG),
    "TF_NewShapeHandle": (_LONG,),
    "TF_DeleteShapeHandle": (None, _LONG),
    "TF_ShapeInferenceContextGetInput": (None, _LONG, _INT, _LONG, _LONG),
    "TF_ShapeInferenceContextSetOutput": (None, _LONG, _INT, _LONG, _LONG),
    "TF_NewKernelBuilder": (_LONG, ctypes.c_char_p, ctypes.c_char_p, _LONG, _LONG, _LONG),
    "TF_RegisterKernelBuilder": (None, ctypes.c_char_p, _LONG, _LONG),
    "TF_GetInput": (None, _LONG, _INT, _LONG, _LONG),
    "TF_AllocateOutput": (_LONG, _LONG, _INT, _INT, _LONG, _INT, _LONG, _LONG),
    "TF_OpKernelContext_Failure": (None, _LONG, _LONG),
    "TF_TensorType": (_INT, _LONG),
    "TF_NumDims": (_INT, _LONG),
    "TF_Dim": (_LONG, _LONG, _INT),
    "TF_TensorElementCount": (_LONG, _LONG),
    "TF_TensorData": (_LONG, _LONG),
    "TF_DeleteTensor": (None, _LONG),
}

Interface = dict[str, Callable[..., Any]]


def masked(x: Any, seed: Any, stream: Any, numbers: Any) -> Any:
    """A tensor under the mask of a key; ``numbers`` are those of a rate's state, in float64."""
    _prepare(x.dtype.name)
    if tf.executing_eagerly():
        kind = ("T", x.dtype.as_datatype_enum)
        return execute.execute(_NAME.encode(), 1, [x, seed, stream, numbers], kind, context.context())[0]
    return op_def_library.apply_op(_NAME, x=x, seed=seed, stream=stream, numbers=numbers)


@cache
def registered() -> bool:
    """Register the operation, once; ``False`` where TensorFlow's library has no such interface."""
    if (call := _interface()) is None:
        return False
    _alive.extend(made := [_shape(call), _kernel(call)])
    status = call["TF_NewStatus"]()
    builder = call["TF_NewOpDefinitionBuilder"](_NAME.encode())
    call["TF_OpDefinitionBuilderAddAttr"](builder, b"T: {float, double, bfloat16, half}")
    for given in (b"x: T", b"seed: uint64", b"stream: uint64", b"numbers: double"):
        call["TF_OpDefinitionBuilderAddInput"](builder, given)
    call["TF_OpDefinitionBuilderAddOutput"](builder, b"y: T")
    call["TF_OpDefinitionBuilderSetShapeInferenceFunction"](builder, made[0].address)
    call["TF_RegisterOpDefinition"](builder, status)
    if fine := call["TF_GetCode"](status) == 0:
        kernel = call["TF_NewKernelBuilder"](_NAME.encode(), b"CPU", 0, made[1].address, 0)
        call["TF_RegisterKernelBuilder"](_NAME.encode(), kernel, status)
        fine = call["TF_GetCode"](status) == 0
    call["TF_DeleteStatus"](status)
    return fine


_alive: list[Any] = []  # an address lives as long as its function

_workers = np.zeros(32, np.int64)
"""The address of what puts masks on memory, by TensorFlow's number of the type; 0 where it is not needed yet."""


@cache
def _prepare(dtype: Any) -> None:
    _workers[tf.as_dtype(dtype).as_datatype_enum] = worker("walk", dtype)


def _interface() -> Interface | None:
    """The functions above, from the library that has them."""
    for path in sorted(Path(tf.sysconfig.get_lib()).glob("libtensorflow_*")):
        library = ctypes.CDLL(str(path))
        if all(hasattr(library, name) for name in _FUNCTIONS):
            found = {}
            for name, (result, *arguments) in _FUNCTIONS.items():
                found[name] = getattr(library, name)
                found[name].restype, found[name].argtypes = result, arguments
            return found
    return None


def _shape(call: Interface) -> Any:
    """The output has the shape of the first input."""
    new, delete = call["TF_NewShapeHandle"], call["TF_DeleteShapeHandle"]
    given, gives = call["TF_ShapeInferenceContextGetInput"], call["TF_ShapeInferenceContextSetOutput"]

    def infer(context: Any, status: Any) -> None:
        shape = new()
        given(context, np.int32(0), shape, status)
        gives(context, np.int32(0), shape, status)
        delete(shape)

    return cfunc("void(int64, int64)")(infer)


def _kernel(call: Interface) -> Any:
    """The mask on ``x``. Not kept on disk: it holds addresses of this process."""
    new_status, delete_status, code = call["TF_NewStatus"], call["TF_DeleteStatus"], call["TF_GetCode"]
    given, allocate, failed = call["TF_GetInput"], call["TF_AllocateOutput"], call["TF_OpKernelContext_Failure"]
    kind_of, dims, dim = call["TF_TensorType"], call["TF_NumDims"], call["TF_Dim"]
    count, data, delete = call["TF_TensorElementCount"], call["TF_TensorData"], call["TF_DeleteTensor"]
    put, workers, crew, cores = start(), _workers.ctypes.data, team.team(), team.cores()

    def compute(_this: Any, context: Any) -> None:
        status, space = new_status(), np.zeros(4 + _RANK, np.int64)
        begin = address_of(space)
        for i in range(4):
            given(context, np.int32(i), begin + 8 * i, status)
        kind, rank, size = kind_of(space[0]), dims(space[0]), count(space[0])
        for d in range(rank):
            space[4 + d] = dim(space[0], np.int32(d))
        width = 4 if kind == 1 else 8 if kind == 2 else 2
        y = allocate(context, np.int32(0), kind, begin + 32, rank, size * width, status)
        if code(status) != 0:
            failed(context, status)
        elif size:
            keys, numbers = at(data(space[1]), np.int64(0)), carray(at(data(space[3]), np.float64(0)), 3)
            exact = carray(at(data(space[3]) + 16, np.int64(0)), 1)[0]
            factor = exact if kind == 2 else np.int64(bits_of(np.float32(numbers[2])))
            put(
                carray(at(workers, np.int64(0)), 32)[kind], crew, cores if crew != 0 and size >= _SHARED else 1,
                data(space[0]), data(y), size, carray(keys, 1)[0], carray(at(data(space[2]), np.int64(0)), 1)[0],
                np.int64(numbers[0]), 32 if numbers[1] > 0 else 16, factor, 0,
            )  # fmt: skip
        for i in range(4):
            delete(space[i])
        delete(y)
        delete_status(status)
        hold(space)

    return cfunc("void(int64, int64)")(compute)
