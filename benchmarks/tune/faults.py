"""A study that is killed again and again: is anything lost, and does it end as if nothing had happened?

    python benchmarks/tune/faults.py [--kills 50] [--seed 0]

A process runs a study in an SQLite file, and is killed (kill -9) at a random moment of the time that a whole study
takes; the same command goes on with it, until it has been killed as often as asked. A study that ends before that
begins anew, in another file. Each ended study is compared with one that was never interrupted: every candidate's
curves, the finalists, the comparison on test data and the winner. Finished candidates are counted in the file after
each kill.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import sukima
from sukima.engines.progress import Silent
from sukima.workflow.tune import tune


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    moments = random.Random(options.seed)
    torch.set_num_threads(1)
    whole, took = _essence(None), _seconds()
    kills = studies = lost = same = finished = before = midway = 0
    with tempfile.TemporaryDirectory() as folder:
        while kills < options.kills:
            file = Path(folder) / f"{studies}.db"
            process = _started(file)
            process.join(moments.uniform(0.05, took))
            if process.exitcode is None:
                process.kill()
                kills += 1
            process.join()
            finished = _finished(file)
            lost += max(0, before - finished)
            midway += process.exitcode != 0 and finished > 0
            before = finished
            if process.exitcode == 0 or kills == options.kills:
                studies += 1
                same += _essence(file) == whole
                before = 0
                print(f"{kills} kills, {studies} studies", flush=True)
    print(
        f"{kills} kills over {studies} studies, {midway} of them after some had finished: {lost} finished candidates "
        f"lost, {same} of {studies} end identically"
    )


def _started(file: Path) -> multiprocessing.process.BaseProcess:
    process = multiprocessing.get_context("fork").Process(target=_essence, args=(file,))
    process.start()
    return process


def _seconds() -> float:
    """How long a process takes for a study that nobody kills."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        _started(Path(folder) / "whole.db").join()
    return time.perf_counter() - began


def _essence(file: Path | None) -> Any:
    """The study from where it is to its end; everything of it but the time."""
    torch.set_num_threads(1)
    result = tune(
        _task(),
        strategy="halving",
        trials=14,
        search_seeds=2,
        test_seeds=2,
        workers=2,
        storage=None if file is None else f"sqlite:///{file}",
        study="faults",
        progress=Silent(),
    )
    assert result.finalists is not None
    assert result.comparison is not None
    arms = [*result.search, *result.finalists.arms, *result.comparison.arms]
    curves = [(arm.name, arm.recipe, [(t.seed, t.history.validation_loss, t.test) for t in arm.trials]) for arm in arms]
    return result.recipe, curves, result.given_up, result.failed, result.importance


def _task() -> sukima.Task:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 8)).astype("float32")
    y = (x[:, 0] + x[:, 1] > 0).astype(int)
    return sukima.Task(
        model=lambda: nn.Sequential(nn.Linear(8, 24), nn.ReLU(), nn.Linear(24, 12), nn.ReLU(), nn.Linear(12, 2)),
        train=(x[:150], y[:150]),
        validation=(x[150:220], y[150:220]),
        test=(x[220:], y[220:]),
        epochs=40,
    )


def _finished(file: Path) -> int:
    try:
        with sqlite3.connect(file) as database:
            count: int = database.execute(
                "select count(*) from trials where state in ('COMPLETE', 'PRUNED')"
            ).fetchone()[0]
    except sqlite3.OperationalError:  # killed before there were tables
        return 0
    return count


if __name__ == "__main__":
    main()
