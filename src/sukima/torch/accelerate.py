"""Every dropout of the process on sukima's kernels, in models that never heard of it."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import Any

import torch
from torch.library import Library

import sukima
from sukima.masks.pages import keep_freed_memory
from sukima.torch.overrides import overrides

__all__ = ["Acceleration", "accelerate"]

_lock = threading.RLock()
_handles: list[Acceleration] = []
_library: Library | None = None
_tag_before: str | None = None


class Acceleration:
    """A handle to undo `accelerate`; also a context manager. The last handle that goes off ends the acceleration."""

    def __init__(self) -> None:
        with _lock:
            _handles.append(self)
            if len(_handles) == 1:
                _install()

    @property
    def on(self) -> bool:
        """Whether this handle still asks for acceleration."""
        return self in _handles

    def off(self) -> None:
        """Give the process back torch's own operators, unless another handle still asks for ours. May be repeated."""
        with _lock:
            if self in _handles:
                _handles.remove(self)
                if not _handles:
                    _remove()

    def __enter__(self) -> Acceleration:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.off()

    def __repr__(self) -> str:
        return f"<sukima acceleration, {'on' if self.on else 'off'}>"


def accelerate() -> Acceleration:
    """Run every dropout on the CPU, in the whole process, on sukima's kernels, until the handle's ``off()``.

    Reaches ``F.dropout``, ``nn.Dropout*``, alpha, feature and in-place dropout, attention, ``nn.LSTM`` and whatever
    else calls torch's operators, from Python, C++ or compiled code. Semantics stay torch's but for three things: masks
    follow the mask law (other masks than torch's under the same seed), the rate is rounded to a multiple of 2**-16,
    and a dropped NaN or infinity becomes 0. Other devices are left alone; so is what runs under ``torch.func``, which
    goes round every override. Functions compiled before are compiled again. Attention with dropout keeps half as much
    for its backward pass. On Linux the process keeps up to 64 MB of freed memory for its next step.

    >>> import torch
    >>> with accelerate():
    ...     torch.nn.functional.dropout(torch.ones(4096), 0.5).unique().tolist()
    [0.0, 2.0]
    """
    return Acceleration()


def _install() -> None:
    global _library
    _library = Library("aten", "IMPL")
    for name, function in overrides().items():
        for key in ("CPU", "AutogradCPU"):
            _library.impl(name, function, key)
    _forget_what_was_resolved()
    _separate_caches(True)
    keep_freed_memory()


def _remove() -> None:
    global _library
    if _library is not None:
        _library._destroy()
    _library = None
    _forget_what_was_resolved()
    _separate_caches(False)


def _forget_what_was_resolved() -> None:
    """Tracers ask an operator in Python what serves a dispatch key, and it remembers the answer."""
    for name in overrides():
        getattr(torch.ops.aten, name).default._dispatch_cache.clear()


def _separate_caches(accelerated: bool) -> None:
    """Keep graphs that call our operators apart from those that call torch's, in memory and on disk.

    The compiler's cache knows a graph by the calls in it, and these are the same in both worlds.
    """
    global _tag_before
    settings: Any = torch.compiler.config
    if accelerated:
        _tag_before = settings.cache_key_tag
        settings.cache_key_tag = f"{_tag_before}sukima {sukima.__version__}"
    else:
        settings.cache_key_tag = _tag_before or ""
    if "torch._dynamo" in sys.modules:
        torch._dynamo.reset()
