"""What `sukima.accelerate()` saves the plain trainer that judges tuners and trains their trials.

    python benchmarks/tune/accelerated.py [--tasks digits cifar] [--rounds 5]

Trains the guideline's rates with and without, in turns, on one thread, and prints the median seconds of computing of a
training and their ratio: that of a tuner's whole search, which trains as many candidates in that much less time.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from contextlib import nullcontext

import torch
from tasks import TASKS, make_task, space_of, train_plain

import sukima
from sukima.workflow.environment import environment

_ALL = ("digits", "mnist-1k", "concrete", "mnist-10k", "cifar", "shakespeare")


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=_ALL)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    print(", ".join(f"{key} {value}" for key, value in environment().items()))
    for name in options.tasks:
        task = make_task(name, 0)
        space = space_of(task)
        rates = dict(space.recipe(space.usual()).rates)
        seconds: dict[bool, list[float]] = {False: [], True: []}
        for seed in range(options.rounds + 1):
            for accelerated, spent in seconds.items():
                started = time.process_time()
                with sukima.accelerate() if accelerated else nullcontext():
                    train_plain(task, rates, seed)
                spent.append(time.process_time() - started)
        plain, fast = (spent[1:] for spent in seconds.values())  # the first compiles, and warms caches
        ratios = [b / a for a, b in zip(plain, fast, strict=True)]
        print(
            f"{name}: {statistics.median(plain):.2f} s, accelerated {statistics.median(fast):.2f} s: "
            f"{statistics.median(ratios):.2f} of it ({min(ratios):.2f} to {max(ratios):.2f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
