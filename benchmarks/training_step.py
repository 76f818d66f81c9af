"""What dropout adds to a whole training step, on this machine: with it against without, accelerated and not.

Two models: the MLP 784-512-256-128-10 at batch 1024, and a transformer of 4 layers, 192 wide, batch 16 x 128.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

import sukima.torch as st
from sukima.workflow.bench import side_by_side

Step = Callable[[], object]


def mlp(rate: float) -> Step:
    sizes = (784, 512, 256, 128)
    hidden = [part for a, b in itertools.pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU(), nn.Dropout(rate))]
    model = nn.Sequential(*(m for m in hidden if rate or not isinstance(m, nn.Dropout)), nn.Linear(128, 10))
    return step(model, torch.randn(1024, 784), torch.randint(10, (1024,)))


def transformer(rate: float) -> Step:
    layer = nn.TransformerEncoderLayer(192, 6, 768, rate, batch_first=True)
    model = nn.Sequential(
        nn.TransformerEncoder(layer, 4, enable_nested_tensor=False), nn.Flatten(0, 1), nn.Linear(192, 65)
    )
    return step(model, torch.randn(16, 128, 192), torch.randint(65, (16 * 128,)))


def step(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> Step:
    optimizer = torch.optim.Adam(model.parameters())

    def run() -> None:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()

    return run


def main() -> bool:
    fine = True
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    for name, make, rate, bound in (("mlp", mlp, 0.5, 1.06), ("transformer", transformer, 0.1, 1.08)):
        plain, dropping = make(0.0), make(rate)
        with st.accelerate():
            ours = side_by_side({"without": plain, "with": dropping}, seconds=16, rounds=8)
        torchs = side_by_side({"without": plain, "with": dropping}, seconds=8, rounds=4)
        ratio = ours["with"] / ours["without"]
        fine = fine and ratio <= bound
        figures = f"without {1e3 * ours['without']:.1f} ms, with sukima's {1e3 * ours['with']:.1f} ms: {ratio:.3f}"
        print(f"{'pass ' if ratio <= bound else 'SHORT'}  {name:12s} {figures} (<= {bound});", end=" ")
        print(f"with torch's {torchs['with'] / torchs['without']:.2f}", flush=True)
    return fine


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
