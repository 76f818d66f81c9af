"""Rates that a module holds as plain numbers: ``self.attn_drop = 0.1``, handed to a function in its forward.

Models of Hugging Face, timm and many a repository hold most of their rates so. Such a number is a site if its name says
that it is a rate, and if ``forward`` or a method that it calls reads it: one that is only handed on to ``nn.Dropout``
when the module is built does nothing later. Those of our own LSTM and GRU are known.
"""

from __future__ import annotations

import dis
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import CodeType
from typing import Any

from torch import nn

from sukima.records.site import Kind
from sukima.torch.recurrent import GRU, LSTM, own_rates

__all__ = ["HeldRate", "held_rates", "sole_rate"]

_RATE = {"drop", "dropout", "droppath", "dropconnect", "dropblock", "layerdrop", "pdrop", "zoneout"}
_NO_RATE = {
    *("seed", "step", "steps", "epoch", "epochs", "start", "end", "num", "count", "size", "dim", "scale", "last"),
    *("threshold", "tokens", "id", "idx", "index"),
}
_SHORT = {"p", "prob", "rate", "drop_prob"}  # of a class that is named after what it drops
_DROPS = re.compile(r"drop|stochasticdepth", re.IGNORECASE)
_RECURRENT: dict[str, Kind] = {"input_dropout": "unit", "weight_dropout": "weight"}  # those between steps: recurrent
_TORCHS_OWN = (nn.RNNBase, nn.RNNCellBase, nn.MultiheadAttention)


@dataclass(frozen=True)
class HeldRate:
    """A number that is a rate.

    Attributes:
        owner: the module, or the configuration object, whose attribute it is.
        attribute: its name there.
        path: its name from the module on: ``attn_drop``, ``config.layerdrop``.
        kind: what is dropped, as far as names tell.
    """

    owner: Any
    attribute: str
    path: str
    kind: Kind

    @property
    def rate(self) -> float:
        """The number as it is now."""
        return float(getattr(self.owner, self.attribute))


def held_rates(module: nn.Module) -> list[HeldRate]:
    """The rates that ``module`` itself holds as numbers, in the order in which they were set."""
    if isinstance(module, LSTM | GRU):
        return [HeldRate(module, name, name, _RECURRENT.get(name, "recurrent")) for name in own_rates(module)]
    cls: Any = type(module)
    if cls.__module__.startswith(("torch.", "sukima.")) or isinstance(module, _TORCHS_OWN):
        return []
    found: list[tuple[Any, str, tuple[str, ...]]]
    found = [(module, name, (name,)) for name, value in vars(module).items() if _is_rate(name, value, cls)]
    config = vars(module).get("config")
    if config is not None and hasattr(config, "__dict__"):
        settings = vars(config).items()
        found += [(config, name, ("config", name)) for name, value in settings if _is_rate(name, value, type(config))]
    if not found:
        return []
    read = _attributes_read(cls)
    return [HeldRate(owner, name, ".".join(path), _kind(name, cls)) for owner, name, path in found if path in read]


def sole_rate(module: nn.Module) -> HeldRate | None:
    """The rate of a module that is there to drop and for nothing else, such as a ``DropPath`` of somebody's own."""
    if not _DROPS.search(type(module).__name__) or any(True for _ in module.children()):
        return None
    if any(True for _ in module.parameters(recurse=False)):
        return None
    found = held_rates(module)
    return found[0] if len(found) == 1 else None


def _is_rate(name: str, value: object, cls: type) -> bool:
    if type(value) not in (int, float) or not 0 <= value <= 1:  # type: ignore[operator]  # it is a number
        return False
    words = set(name.lower().strip("_").split("_"))
    return bool(words & _RATE and not words & _NO_RATE) or (name in _SHORT and bool(_DROPS.search(cls.__name__)))


def _kind(name: str, cls: type) -> Kind:
    words, owner = name.lower(), cls.__name__.lower()
    if "layerdrop" in words or "layer_drop" in words:
        return "layer"
    if "path" in words or "depth" in words or (name in _SHORT and ("path" in owner or "depth" in owner)):
        return "path"
    if "attn" in words or "attention" in words:
        return "attention"
    plain = words in ("dropout", "drop", "dropout_p", "dropout_prob", "dropout_rate", "p")
    return "attention" if plain and ("attention" in owner or "attn" in owner) else "unit"


@cache
def _attributes_read(cls: type) -> frozenset[tuple[str, ...]]:
    """Dotted names that ``forward`` and what it calls of its own class read: ``("config", "layerdrop")`` say."""
    own = cls.__mro__[: cls.__mro__.index(nn.Module)]
    found: set[tuple[str, ...]] = set()
    pending, seen = ["forward", "__call__"], {"__init__"}
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        # Every class's version, since one may call the other's.
        paths = {
            path for base in own if name in vars(base) for code in _codes(vars(base)[name]) for path in _read_in(code)
        }
        found |= paths
        pending += [path[-1] for path in paths]
    return frozenset(found)


def _codes(member: object) -> Iterator[CodeType]:
    if isinstance(member, property):
        member = member.fget
    elif isinstance(member, staticmethod | classmethod):
        member = member.__func__
    code = getattr(inspect.unwrap(member), "__code__", None) if callable(member) else None
    pending = [code] if isinstance(code, CodeType) else []
    while pending:
        code = pending.pop()
        yield code
        pending += [each for each in code.co_consts if isinstance(each, CodeType)]


def _read_in(code: CodeType) -> Iterator[tuple[str, ...]]:
    path: tuple[str, ...] = ()
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            path = (*path, step.argval)
            yield path
        else:
            path = ()
