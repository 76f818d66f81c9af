"""The members of the torch family, in one shape, for the contract that all of them keep."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

import sukima.torch as st

Call = Callable[..., Tensor]  # (input, p, training, key=) -> tensor


@dataclass(frozen=True)
class Member:
    """One layer: as a function, as a module, and what may be asked of it."""

    name: str
    call: Call
    module: Callable[[float], nn.Module]
    shape: tuple[int, ...]
    below_one: bool = False  # rate 1 is not a rate for it
    at_one: float | None = 0.0  # what everything becomes at rate 1
    any_shape: bool = False
    mean_preserving: bool = True

    def __repr__(self) -> str:
        return self.name


def _plain(function: Callable[..., Tensor], **fixed: Any) -> Call:
    def call(input: Tensor, p: Any, training: bool = True, **rest: Any) -> Tensor:
        return function(input, p, training=training, **fixed, **rest)

    return call


def _attend(input: Tensor, p: Any, training: bool = True, **rest: Any) -> Tensor:
    return st.head_dropout(input, p, training, **rest)


def _connect(input: Tensor, p: Any, training: bool = True, **rest: Any) -> Tensor:
    weight = torch.eye(input.shape[-1], dtype=input.dtype)
    return st.drop_connect(input, weight, None, p, training, **rest)


def _identity_connect(p: float) -> nn.Module:
    module = st.DropConnect(5, 5, bias=False, p=p)
    with torch.no_grad():
        module.weight.copy_(torch.eye(5))
    return module


MEMBERS = [
    Member("dropout", _plain(st.dropout), st.Dropout, (3, 5), any_shape=True),
    Member("dropout1d", _plain(st.dropout1d), st.Dropout1d, (3, 5, 7)),
    Member("dropout2d", _plain(st.dropout2d), st.Dropout2d, (3, 5, 4, 3)),
    Member("dropout3d", _plain(st.dropout3d), st.Dropout3d, (3, 5, 2, 3, 2)),
    Member("alpha_dropout", _plain(st.alpha_dropout), st.AlphaDropout, (3, 5), any_shape=True),
    Member("feature_alpha", _plain(st.feature_alpha_dropout), st.FeatureAlphaDropout, (3, 5, 7)),
    Member("gaussian", _plain(st.gaussian_dropout), st.GaussianDropout, (3, 5), below_one=True, any_shape=True),
    Member(
        "shaped", _plain(st.shaped_dropout, noise_shape=(None, 1)), lambda p: st.ShapedDropout(p, (None, 1)), (7, 5)
    ),
    Member("token", _plain(st.token_dropout), st.TokenDropout, (3, 5, 4)),
    Member("corrupt", _plain(st.corrupt), st.Corruption, (3, 5), any_shape=True, mean_preserving=False),
    Member(
        "corrupt_noise", _plain(st.corrupt, kind="gaussian"), lambda p: st.Corruption(p, "gaussian"), (3, 5),
        any_shape=True, at_one=None,
    ),
    Member(
        "corrupt_swap", _plain(st.corrupt, kind="swap"), lambda p: st.Corruption(p, "swap"), (9, 5), at_one=None
    ),
    Member("drop_path", _plain(st.drop_path), st.DropPath, (9, 5, 2)),
    Member(
        "drop_path_batch", _plain(st.drop_path, per="batch"), lambda p: st.DropPath(p, per="batch"), (3, 5),
        any_shape=True,
    ),
    Member("block1d", _plain(st.drop_block1d, block_size=3), lambda p: st.DropBlock1d(p, 3), (3, 5, 9)),
    Member("block2d", _plain(st.drop_block2d, block_size=3), lambda p: st.DropBlock2d(p, 3), (2, 3, 7, 5)),
    Member("block3d", _plain(st.drop_block3d, block_size=2), lambda p: st.DropBlock3d(p, 2), (2, 3, 3, 4, 5)),
    Member("attention", _plain(st.attention_dropout), st.AttentionDropout, (2, 3, 4, 5), any_shape=True),
    Member("heads", _attend, st.HeadDropout, (3, 4, 5, 2)),
    Member("locked", _plain(st.locked_dropout), st.LockedDropout, (5, 3, 4)),
    Member("connect", _connect, _identity_connect, (4, 5)),
    Member("weight", _plain(st.weight_dropout), lambda p: _identity_connect(p), (4, 5), any_shape=True),
]  # fmt: skip
