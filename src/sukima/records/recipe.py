"""The recipe: everything that regularizes one training run, in one file.

It can be applied to a model, printed as code, compared and searched over.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from sukima.base.checks import check_count, check_number, check_rate, shown
from sukima.base.errors import InputError
from sukima.records.constraint import Constraint
from sukima.records.files import check_writable, read_text
from sukima.records.penalty import Penalty
from sukima.records.schedule import Schedule

__all__ = ["ALL_SITES", "Recipe"]

ALL_SITES = "*"
"""The name that stands for every site of the model which the recipe does not name."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Site → rate, and whatever else regularizes.

    Attributes:
        rates: site → probability that a unit is dropped; the site ``"*"`` stands for all that are not named.
        penalties: site → penalty on the weights of that layer; ``"*"`` as above. The name of a parameter, or a pattern
            such as ``"encoder.*.weight"``, may stand in the place of a site.
        constraints: site → constraint on the weights of that layer; names as for penalties.
        schedules: site → how its rate changes during training; ``"*"`` as above.
        weight_decay: decoupled weight decay (Loshchilov & Hutter 2019); ``None`` leaves the optimizer's own.
        label_smoothing: share of the label spread evenly over all classes, in [0, 1); with ``cross_entropy``.
        input_noise: standard deviation of the normal noise added to the inputs in training (Bishop 1995).
        mixup: parameter of the Beta distribution by which training rows are mixed in pairs (Zhang et al. 2018), usually
            0.1 to 0.4; 0 does not mix.
        early_stopping: epochs without a better validation loss after which training stops; ``None`` never.
        options: keyword arguments for the model factory, such as ``{"batch_norm": True, "width": 128}``.
    """

    rates: dict[str, float] = {}
    penalties: dict[str, Penalty] = {}
    constraints: dict[str, Constraint] = {}
    schedules: dict[str, Schedule] = {}
    weight_decay: float | None = None
    label_smoothing: float = 0.0
    input_noise: float = 0.0
    mixup: float = 0.0
    early_stopping: int | None = None
    options: dict[str, bool | int | float | str] = {}

    def __post_init__(self) -> None:
        for table in ("rates", "penalties", "constraints", "schedules", "options"):
            value = getattr(self, table)
            if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
                raise InputError(
                    "{name} must be a table from names to values, got {value}", name=table, value=shown(value)
                )
        # Plain numbers, for the file formats, and a table of its own.
        rates = {site: check_rate(f"rates[{site!r}]", rate) for site, rate in self.rates.items()}
        msgspec.structs.force_setattr(self, "rates", rates)
        for name, option in self.options.items():
            _check_option(f"options[{name!r}]", option)
        for table, kinds in (("penalties", Penalty), ("constraints", Constraint), ("schedules", Schedule)):
            for site, value in getattr(self, table).items():
                if not isinstance(value, kinds):
                    raise InputError(
                        "{name} must be one of {choices}, got {value}",
                        name=f"{table}[{site!r}]",
                        choices=", ".join(kind.__name__ for kind in kinds.__args__),
                        value=repr(value),
                    )
        if self.weight_decay is not None:
            decay = check_number("weight_decay", self.weight_decay, minimum=0)
            msgspec.structs.force_setattr(self, "weight_decay", decay)
        smoothing = check_number("label_smoothing", self.label_smoothing, minimum=0, below=1)
        msgspec.structs.force_setattr(self, "label_smoothing", smoothing)
        for name in ("input_noise", "mixup"):
            msgspec.structs.force_setattr(self, name, check_number(name, getattr(self, name), minimum=0))
        if self.early_stopping is not None:
            msgspec.structs.force_setattr(self, "early_stopping", check_count("early_stopping", self.early_stopping))

    def __reduce__(self) -> tuple[Callable[[str], Recipe], tuple[str]]:
        # What is left out of a file are defaults by identity, which pickling would not keep.
        return Recipe.from_json, (self.to_json(),)

    @property
    def is_empty(self) -> bool:
        """Whether nothing regularizes: every rate is 0 and nothing else is set."""
        return not any(self.rates.values()) and msgspec.structs.replace(self, rates={}, schedules={}) == Recipe()

    def with_rates(self, rates: Mapping[str, float]) -> Recipe:
        """This recipe with other rates."""
        return msgspec.structs.replace(self, rates=dict(rates))

    def to_toml(self) -> str:
        """The recipe as TOML."""
        return tomli_w.dumps(msgspec.to_builtins(self))

    def to_json(self) -> str:
        """The recipe as JSON."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_toml(cls, text: str) -> Recipe:
        """Read what `to_toml` wrote; raises ``InputError`` that names the wrong entry."""
        return _decode(lambda: msgspec.toml.decode(text, type=cls))

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Read what `to_json` wrote; raises ``InputError`` that names the wrong entry."""
        return _decode(lambda: msgspec.json.decode(text, type=cls))

    @classmethod
    def load(cls, path: str | Path) -> Recipe:
        """Read a ``.toml`` or ``.json`` file."""
        text = read_text(path)
        try:
            return cls.from_json(text) if _is_json(path) else cls.from_toml(text)
        except InputError as error:
            raise InputError("{path}: {why}", path=path, why=error.message) from None

    def save(self, path: str | Path) -> None:
        """Write a ``.toml`` or ``.json`` file."""
        check_writable(path).write_text(self.to_json() if _is_json(path) else self.to_toml(), encoding="utf-8")


def _is_json(path: str | Path) -> bool:
    return Path(path).suffix.lower() == ".json"


def _check_option(name: str, value: Any) -> None:
    """Raise unless ``value`` is what both file formats can hold."""
    if type(value) in (bool, str):
        return
    if (type(value) is int and -(2**63) <= value < 2**63) or (type(value) is float and math.isfinite(value)):
        return
    raise InputError(
        "{name} must be a bool, str, 64-bit int or finite float, got {value}", name=name, value=shown(value)
    )


def _decode(read: Any) -> Recipe:
    try:
        recipe: Recipe = read()
    except InputError:
        raise
    except (msgspec.DecodeError, ValueError) as error:
        cause = error.__cause__
        raise (cause if isinstance(cause, InputError) else InputError("not a recipe: {why}", why=error)) from None
    return recipe
