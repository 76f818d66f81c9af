"""Each layer of the torch family beside its best-known peer, in one run: nanoseconds an element, forward and backward.

The unit kinds are measured forward alone too.

Peers that are not installed are the published formulas in torch's own operators, written as their authors do. Usage:
``python benchmarks/layers.py [--json]``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.benchmark import Timer

import sukima.torch as st

MAPS = (32, 64, 28, 28)
ROWS = (1024, 1024)
SEQUENCE = (64, 32, 256)


@dataclass(frozen=True)
class Case:
    """One claim: ours against the peer's, on an input of a shape, with the ratio that ours must reach."""

    name: str
    shape: tuple[int, ...]
    ours: Callable[[Tensor], Tensor]
    peer: Callable[[Tensor], Tensor]
    peer_name: str
    at_least: float = 1.0  # peer's time over ours
    backward: bool = True


def drop_path(x: Tensor) -> Tensor:
    mask = x.new_empty((x.shape[0],) + (1,) * (x.ndim - 1)).bernoulli_(0.8).div_(0.8)
    return x * mask


def gaussian(x: Tensor) -> Tensor:
    return x * (1 + torch.randn_like(x))


def drop_block(x: Tensor) -> Tensor:
    gamma = 0.1 / 7**2 * (x.shape[2] * x.shape[3]) / ((x.shape[2] - 6) * (x.shape[3] - 6))
    seeds = torch.empty_like(x).bernoulli_(gamma)
    mask = 1 - F.max_pool2d(seeds, 7, 1, 3)
    return x * mask * (mask.numel() / mask.sum())


def locked(x: Tensor) -> Tensor:
    return x * x.new_empty(1, *x.shape[1:]).bernoulli_(0.5).div_(0.5)


def weight_drop(x: Tensor) -> Tensor:
    return F.linear(x, F.dropout(_weight, 0.5))


def broadcast(x: Tensor) -> Tensor:
    return x * _channels


_weight = torch.randn(1024, 1024)
_channels = torch.rand(*MAPS[:2], 1, 1)
_lstm = nn.LSTM(256, 256)
_ours = st.LSTM(256, 256, input_dropout=0.3)
_dropped = st.LSTM(256, 256, input_dropout=0.3, weight_dropout=0.5)


def units(
    name: str, ours: Callable[[Tensor], Tensor], peer: Callable[[Tensor], Tensor], peer_name: str, at_least: float
) -> list[Case]:
    return [
        Case(name, ROWS, ours, peer, peer_name, at_least),
        Case(f"{name}, forward", ROWS, ours, peer, peer_name, at_least, backward=False),
    ]


CASES = [
    *units("dropout", lambda x: st.dropout(x, 0.5), lambda x: F.dropout(x, 0.5), "torch", 40),
    *units("alpha dropout", lambda x: st.alpha_dropout(x, 0.5), lambda x: F.alpha_dropout(x, 0.5, True), "torch", 40),
    Case(
        "feature alpha dropout",
        MAPS,
        lambda x: st.feature_alpha_dropout(x, 0.5),
        lambda x: F.feature_alpha_dropout(x, 0.5, True),
        "torch",
    ),
    Case("gaussian dropout", ROWS, lambda x: st.gaussian_dropout(x, 0.5), gaussian, "torch.randn_like"),
    Case("channel dropout 2d", MAPS, lambda x: st.dropout2d(x, 0.5), lambda x: F.dropout2d(x, 0.5), "torch"),
    Case("channels / multiply", MAPS, lambda x: st.dropout2d(x, 0.5), broadcast, "broadcast multiply", 1 / 1.15),
    Case("drop path", MAPS, lambda x: st.drop_path(x, 0.2), drop_path, "timm's formula"),
    Case("drop block 2d", MAPS, lambda x: st.drop_block2d(x, 0.1, 7), drop_block, "torchvision's formula"),
    Case("locked dropout", SEQUENCE, lambda x: st.locked_dropout(x, 0.5), locked, "AWD-LSTM's formula"),
    Case("drop connect", ROWS, lambda x: st.drop_connect(x, _weight, p=0.5), weight_drop, "F.dropout on the weight"),
    Case("LSTM, input side", SEQUENCE, lambda x: _ours(x)[0], lambda x: _lstm(x)[0], "nn.LSTM, no dropout", 1 / 1.5),
    Case("LSTM, weights", SEQUENCE, lambda x: _dropped(x)[0], lambda x: _lstm(x)[0], "nn.LSTM, no dropout", 1 / 1.5),
]


def nanoseconds(function: Callable[[Tensor], Tensor], x: Tensor, backward: bool) -> float:
    """Median time by element."""
    x.requires_grad_(backward)
    gradient = torch.ones_like(function(x))
    timer = Timer(
        "torch.autograd.grad(f(x), x, g)" if backward else "f(x)",
        globals={"f": function, "x": x, "g": gradient, "torch": torch},
        num_threads=torch.get_num_threads(),
    )
    return timer.blocked_autorange(min_run_time=0.3).median / x.numel() * 1e9


def main() -> None:
    rows = []
    for case in CASES:
        x = torch.randn(case.shape)
        ours, peer = nanoseconds(case.ours, x, case.backward), nanoseconds(case.peer, x, case.backward)
        rows.append({"layer": case.name, "peer": case.peer_name, "ours_ns": ours, "peer_ns": peer, "ratio": peer / ours,
                     "at_least": case.at_least})  # fmt: skip
    if "--json" in sys.argv:
        print(json.dumps(rows, indent=2))
        return
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, float32, forward and backward")
    for row in rows:
        verdict = "pass" if row["ratio"] >= row["at_least"] else "SHORT"
        print(
            f"{row['layer']:22} {row['ours_ns']:8.2f} ns   {row['peer']:26} {row['peer_ns']:8.2f} ns   "
            f"{row['ratio']:7.2f} x  (>= {row['at_least']:.2f})  {verdict}"
        )


if __name__ == "__main__":
    main()
