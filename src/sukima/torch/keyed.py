"""Masks that do not depend on the order of execution: keys from seed, site, step and microbatch."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as every_module
from torch.utils.hooks import RemovableHandle

from sukima.base.checks import check_count, check_instance
from sukima.base.errors import InputError
from sukima.masks.key import MaskKey
from sukima.torch import operators
from sukima.torch.constant import constant
from sukima.torch.keys import key_tensor

__all__ = ["active", "at_site", "call", "canonical", "current", "keyed"]

_WRAPPERS = {"module", "_fsdp_wrapped_module", "_orig_mod", "_checkpoint_wrapped_module"}
_WRAPPING = ("torch.nn.parallel", "torch.distributed", "accelerate.", "deepspeed.", "lightning.")
_NAME = "_sukima_site"
_HOOK = RemovableHandle(OrderedDict()).id  # one of torch's own numbers, by which compiled graphs know a hook again

# Where torch keeps hooks before, hooks after, and which of the latter run after an error too.
_Places = tuple[dict[int, Any], dict[int, Any], dict[int, Any]]


def canonical(name: str, model: nn.Module | None = None) -> str:
    """A module's dotted name without what DDP, FSDP, ``torch.compile`` and checkpointing put into it."""
    kept, here = [], model
    for part in name.split("."):
        child = getattr(here, part, None) if here is not None else None
        if part not in _WRAPPERS or not (here is None or _wraps(here, part)):
            kept.append(part)
        here = child
    return ".".join(kept)


def _wraps(module: nn.Module, part: str) -> bool:
    """Whether ``module`` is a wrapper round its child; a model of one's own may well have a child named "module"."""
    return part != "module" or type(module).__module__.startswith(_WRAPPING)


class keyed:  # noqa: N801  # a context manager, called like a function
    """Inside, every mask without a key of its own gets one that its site, the step and the microbatch decide.

    The key of a call is folded from the seed, the replica, the site's name (free of wrapper prefixes), the number of
    the call among its owner's, the step and the microbatch. Execution order, recomputation and compilation no longer
    matter. Calls of torch's own dropout are reached in an accelerated process; in compiled code they are an error (see
    `replace`).

    Args:
        model: the model whose modules name the sites; by default the outermost module that is called inside.
            Give it where the model is compiled, or called in a compiled function.
        seed: an integer in [0, 2**64).
        step: the optimizer step: an integer, or an integer tensor of one element that may change without recompiling.
        microbatch: the number of the microbatch within the step, likewise.
        replica: the data-parallel rank, so that replicas draw different masks.

    Raises:
        InputError: an argument is not as described; or, when a mask is drawn, a site is used twice in one pass (see
            `call`), or there is no module to name it.

    >>> from sukima.torch import dropout
    >>> layer = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
    >>> with keyed(seed=1, step=3):
    ...     pass
    """

    def __init__(
        self,
        model: nn.Module | None = None,
        *,
        seed: int,
        step: int | Tensor = 0,
        microbatch: int | Tensor = 0,
        replica: int = 0,
    ) -> None:
        if model is not None:
            check_instance("model", model, nn.Module, "a torch.nn.Module")
        self.key = MaskKey(seed).fold_in(check_count("replica", replica, minimum=0))
        self.step = _number("step", step)
        self.microbatch = _number("microbatch", microbatch)
        self.model = model
        self.frames: list[list[Any]] = []  # for each module that is running: its name, and calls so far
        self.left: list[Any] = ["", 0]  # that of the module that ran last
        self.used: set[tuple[str, int, int]] = set()
        self.call = 0

    def __enter__(self) -> keyed:
        _stack.append(self)
        if self.model is not None:
            _name_all(self.model)
        self.hook()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _stack.remove(self)
        for hooks in self.hooked:
            for each in hooks:
                each.pop(_HOOK, None)
        for other in _stack:
            other.hook()  # which may share modules with this one

    def hook(self) -> None:
        """Be told when modules begin and end: those of the model, or any where none is given."""
        self.hooked = list(_places(self.model))
        for before, after, always in self.hooked:
            for hooks, hook in ((before, _enter), (after, _leave)):
                hooks[_HOOK] = hook
                hooks.move_to_end(_HOOK, last=False)  # type: ignore[attr-defined]  # torch makes them ordered
            always[_HOOK] = True


_stack: list[keyed] = []


def active() -> bool:
    """Whether masks get their keys here."""
    return bool(_stack)


def _places(model: nn.Module | None) -> Iterator[_Places]:
    if model is None:
        yield (
            every_module._global_forward_pre_hooks,
            every_module._global_forward_hooks,
            every_module._global_forward_hooks_always_called,
        )
        return
    for each in model.modules():
        yield each._forward_pre_hooks, each._forward_hooks, each._forward_hooks_always_called


def _number(name: str, value: int | Tensor) -> int | Tensor:
    if not isinstance(value, Tensor):
        return check_count(name, value, minimum=0)
    if value.numel() != 1 or value.is_floating_point() or value.is_complex() or value.dtype == torch.bool:
        raise InputError(
            "{name} must be an integer tensor of one element, got {value}",
            name=name,
            value=f"{tuple(value.shape)} {value.dtype}",
        )
    return value


def _name_all(model: nn.Module) -> None:
    """Write each module's name on it: a look-up that compilers can follow."""
    for name, module in model.named_modules():
        module.__dict__[_NAME] = canonical(name, model)


def _enter(module: nn.Module, _inputs: Any) -> None:
    if not _stack:
        return
    state = _stack[-1]
    if not state.frames and (state.model is None or _NAME not in module.__dict__):
        _name_all(module)
        state.used = set()  # a new pass
    elif not state.frames:
        state.used = set()
    state.frames.append([module.__dict__.get(_NAME, ""), 0])


def _leave(_module: nn.Module, _inputs: Any, _output: Any) -> None:
    if _stack and _stack[-1].frames:
        _stack[-1].left = _stack[-1].frames.pop()


@contextmanager
def at_site(host: nn.Module, ending: str) -> Iterator[None]:
    """Inside, masks belong to the site that a hook makes of ``host``: on its output, or, with an ending, elsewhere."""
    if not _stack or _NAME not in host.__dict__:
        yield
        return
    state = _stack[-1]
    # On its output the count of the host's own calls goes on, so that hook and host do not draw the same mask.
    state.frames.append([host.__dict__[_NAME] + ending, 0] if ending else state.left)
    try:
        yield
    finally:
        state.frames.pop()


@contextmanager
def call(number: int) -> Iterator[None]:
    """Tell apart the uses of what is used several times in one pass: ``with call(1): x = shared(x)``."""
    number = check_count("number", number, minimum=0)
    state = _stack[-1] if _stack else None
    before = 0 if state is None else state.call
    if state is not None:
        state.call = number
    try:
        yield
    finally:
        if state is not None:
            state.call = before


@constant
def _site_words(seed: int, stream: int, name: str, number: int, repeat: int) -> tuple[int, int]:
    key = MaskKey(seed, stream).fold_in(name).fold_in(number).fold_in(repeat)
    return key.seed, key.stream


def current(repeat: int | None = None) -> MaskKey | Tensor | None:
    """The key of the call that asks, inside `keyed`; ``None`` outside."""
    if not _stack:
        return None
    state = _stack[-1]
    if not state.frames:
        raise InputError("inside keyed(), a mask needs a module that is running to name its site; or give key=")
    frame = state.frames[-1]
    name, number = frame
    frame[1] = number + 1
    repeat = state.call if repeat is None else repeat
    if torch.compiler.is_compiling() or torch._C._current_graph_task_id() == -1:  # backward recomputes
        if (name, number, repeat) in state.used:
            raise InputError("site {site} is used twice in one pass; tell its uses apart with call=", site=name or "''")
        state.used.add((name, number, repeat))
    words = _site_words(state.key.seed, state.key.stream, name, number, repeat)
    return _with_step(words, state.step, state.microbatch)


def _with_step(words: tuple[int, int], step: int | Tensor, microbatch: int | Tensor) -> MaskKey | Tensor:
    if torch.compiler.is_compiling() and (isinstance(step, Tensor) or isinstance(microbatch, Tensor)):
        key = key_tensor(MaskKey(*words))
        for value in (step, microbatch):
            number = value if isinstance(value, Tensor) else torch.tensor(value)
            key = operators.fold_in(key, number)
        return key
    return MaskKey(*words).fold_in(int(step)).fold_in(int(microbatch))
