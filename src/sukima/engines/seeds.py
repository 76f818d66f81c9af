"""Seeds of one trial: initial weights, order of the data and masks each get their own, all from the trial's seed."""

from __future__ import annotations

from sukima.masks.key import MaskKey

__all__ = ["derive_seed"]


def derive_seed(seed: int, *purpose: str | int) -> int:
    """A seed for one purpose, such as ``derive_seed(seed, "order", epoch)``;
    derived through the generator, since sums of seeds collide."""
    key = MaskKey(seed)
    for part in purpose:
        key = key.fold_in(part)
    return key.stream >> 1  # torch takes signed 64-bit seeds
