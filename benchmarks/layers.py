"""Each layer of the torch family beside its best-known peer, in one run: nanoseconds an element, forward and backward.

Some are measured forward alone too.

Peers that are not installed are the published formulas in torch's own operators, written as their authors do. Usage:
``python benchmarks/layers.py [--json] [--rounds N] [--only NAME]``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.benchmark import Timer

import sukima.torch as st

MAPS = (32, 64, 28, 28)
ROWS = (1024, 1024)
SEQUENCE = (64, 32, 256)

TURN = 0.05
"""Seconds that one of both is timed before the other's turn."""


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


def both_ways(
    name: str,
    ours: Callable[[Tensor], Tensor],
    peer: Callable[[Tensor], Tensor],
    peer_name: str,
    at_least: float,
    shape: tuple[int, ...] = ROWS,
) -> list[Case]:
    return [
        Case(name, shape, ours, peer, peer_name, at_least),
        Case(f"{name}, forward", shape, ours, peer, peer_name, at_least, backward=False),
    ]


CASES = [
    *both_ways("dropout", lambda x: st.dropout(x, 0.5), lambda x: F.dropout(x, 0.5), "torch", 40),
    *both_ways(
        "alpha dropout", lambda x: st.alpha_dropout(x, 0.5), lambda x: F.alpha_dropout(x, 0.5, True), "torch", 40
    ),
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
    *both_ways("drop path", lambda x: st.drop_path(x, 0.2), drop_path, "timm's formula", 1.0, shape=MAPS),
    Case("drop block 2d", MAPS, lambda x: st.drop_block2d(x, 0.1, 7), drop_block, "torchvision's formula"),
    Case("locked dropout", SEQUENCE, lambda x: st.locked_dropout(x, 0.5), locked, "AWD-LSTM's formula"),
    Case("drop connect", ROWS, lambda x: st.drop_connect(x, _weight, p=0.5), weight_drop, "F.dropout on the weight"),
    Case("LSTM, input side", SEQUENCE, lambda x: _ours(x)[0], lambda x: _lstm(x)[0], "nn.LSTM, no dropout", 1 / 1.5),
    Case("LSTM, weights", SEQUENCE, lambda x: _dropped(x)[0], lambda x: _lstm(x)[0], "nn.LSTM, no dropout", 1 / 1.5),
]


def timer(function: Callable[[Tensor], Tensor], x: Tensor, backward: bool) -> Timer:
    """Of one call, with its gradient if ``backward``."""
    x = x.clone().requires_grad_(backward)
    return Timer(
        "torch.autograd.grad(f(x), x, g)" if backward else "f(x)",
        globals={"f": function, "x": x, "g": torch.ones_like(function(x)), "torch": torch},
        num_threads=torch.get_num_threads(),
    )


def measure(case: Case, rounds: int) -> dict[str, float]:
    """Nanoseconds an element of both, and the ratio with its range: what a machine does meanwhile strikes both alike,
    so they take turns, and the ratio is the median over the turns."""
    x = torch.randn(case.shape)
    timers = [timer(function, x, case.backward) for function in (case.ours, case.peer)]
    counts = [max(1, round(TURN / each.blocked_autorange(min_run_time=TURN).median)) for each in timers]
    turns = [[each.timeit(count).median for each, count in zip(timers, counts, strict=True)] for _ in range(rounds)]
    ours, peer = (median(side) / x.numel() * 1e9 for side in zip(*turns, strict=True))
    ratios = sorted(peer / ours for ours, peer in turns)
    return {"ours_ns": ours, "peer_ns": peer, "ratio": median(ratios), "low": ratios[0], "high": ratios[-1]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=15, help="how often ours and the peer take turns")
    parser.add_argument("--only", default="", help="the cases whose names hold this")
    arguments = parser.parse_args()
    rows = [
        {"layer": case.name, "peer": case.peer_name, "at_least": case.at_least} | measure(case, arguments.rounds)
        for case in CASES
        if arguments.only in case.name
    ]
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, float32, forward and backward")
    for row in rows:
        verdict = "pass" if row["ratio"] >= row["at_least"] else "SHORT"
        print(
            f"{row['layer']:22} {row['ours_ns']:8.2f} ns   {row['peer']:26} {row['peer_ns']:8.2f} ns   "
            f"{row['ratio']:7.2f} x ({row['low']:.2f} to {row['high']:.2f})  (>= {row['at_least']:.2f})  {verdict}"
        )


if __name__ == "__main__":
    main()
