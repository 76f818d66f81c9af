"""The layers of the family, with inputs that suit them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sukima.keras as sk


@dataclass(frozen=True)
class Member:
    """One layer: how it is made at a rate, and the shape of its input without the batch."""

    make: Callable[..., Any]
    shape: tuple[int, ...] = (6,)
    below_one: bool = False
    exact: bool = True  # zeroes what it drops
    extra: dict[str, Any] = field(default_factory=dict)


MEMBERS = {
    "Dropout": Member(sk.Dropout),
    "Dropout shaped": Member(sk.Dropout, (5, 3), extra={"noise_shape": (None, 1, None)}),
    "SpatialDropout1D": Member(sk.SpatialDropout1D, (5, 3)),
    "SpatialDropout2D": Member(sk.SpatialDropout2D, (4, 5, 3)),
    "SpatialDropout2D first": Member(sk.SpatialDropout2D, (3, 4, 5), extra={"data_format": "channels_first"}),
    "SpatialDropout3D": Member(sk.SpatialDropout3D, (2, 3, 2, 3)),
    "GaussianDropout": Member(sk.GaussianDropout, (7, 3), below_one=True, exact=False),
    "AlphaDropout": Member(sk.AlphaDropout, (7,), exact=False),
    "AlphaDropout shaped": Member(sk.AlphaDropout, (7, 2), exact=False, extra={"noise_shape": (None, None, 1)}),
    "DropPath": Member(sk.DropPath, (3, 2)),
    "DropPath batch": Member(sk.DropPath, (3, 2), extra={"per": "batch", "scaled": False}),
    "DropBlock1D": Member(sk.DropBlock1D, (9, 2), extra={"block_size": 3}),
    "DropBlock2D": Member(sk.DropBlock2D, (6, 7, 2), extra={"block_size": 3}),
    "DropBlock3D": Member(sk.DropBlock3D, (4, 4, 4, 2), extra={"block_size": 2}),
    "LockedDropout": Member(sk.LockedDropout, (5, 3)),
}
