"""Throughput of a Ray cluster: two workers against one, on nodes of this machine with a processor each.

    python benchmarks/tune/cluster.py [--repeats 3]

The trials have one thread; the same trials are trained by one worker and by two, in turn. Prints the ratio of
throughputs (2 would be linear) of each repetition and their median. Workers have started and trained before the clock
does; whatever else runs on the machine counts against two workers, who need all of a two-core machine.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence

import numpy as np
import ray
from ray.cluster_utils import Cluster
from torch import Tensor, nn

from sukima.engines.progress import Silent
from sukima.engines.ray import RayEngine
from sukima.records.recipe import Recipe
from sukima.records.task import Task

_TRIALS = 8


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(argv)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 64)).astype("float32")
    y = (x[:, 0] + x[:, 1] > 0).astype(int)
    task = Task(
        model=lambda: nn.Sequential(nn.Linear(64, 256), nn.Tanh(), nn.LSTM(256, 64), _First(), nn.Linear(64, 2)),
        train=(x[:3000], y[:3000]),
        validation=(x[3000:], y[3000:]),
        epochs=5,
    )
    memory = 80 * 2**20
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "object_store_memory": memory})
    for _ in range(2):
        cluster.add_node(num_cpus=1, object_store_memory=memory)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    ratios = []
    for repeat in range(options.repeats):
        one, two = (_rate(task, workers) for workers in (1, 2))
        ratios.append(two / one)
        print(f"{repeat}: {one:.2f} trials/s with 1 worker, {two:.2f} with 2: {two / one:.2f} x", flush=True)
    middle = statistics.median(ratios)
    print(f"median {middle:.2f} x = {middle / 2:.2f} of linear (wanted: 0.85)")
    ray.shutdown()
    cluster.shutdown()


class _First(nn.Module):
    """The outputs of a recurrent layer; it also keeps the candidates from being stacked."""

    def forward(self, found: tuple[Tensor, object]) -> Tensor:
        return found[0]


def _rate(task: Task, workers: int) -> float:
    with RayEngine(task, Silent(), workers=workers) as engine:
        engine.why_not_stacked = "one by one"
        engine.prepare([(Recipe(), 1000 + seed) for seed in range(2 * workers)])  # all have begun
        started = time.perf_counter()
        engine.prepare([(Recipe(), seed) for seed in range(_TRIALS)])
        return _TRIALS / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
