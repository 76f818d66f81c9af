"""sukima's ``auto`` against the tuners that people use: how long until a winner as good as theirs, and how good.

    python benchmarks/tune/peers.py --tasks digits mnist-1k --tuners sukima "Optuna TPE" --repeats 3 --budget 180

Each tuner searches the same space (the rates of every site from 0 to 0.9 in steps of 0.05) on the same data. The peers
train with a plain torch loop and may spend their whole budget; sukima decides by itself when it has done, or is given a
budget of its own (``--limit``), and is timed until its winner is chosen. The winners are then judged by the plain loop
with fresh seeds: the validation loss, and the test loss at the same epoch. "+" behind a peer's name is the peer with
``sukima.accelerate()``.

Seconds are on the clock, or, with ``--clock computing``, processor seconds of all processes together: a fair measure on
a machine that is busy with other things, which does not give sukima the second core that it uses by itself. sukima's
limit is then told by its own computing, divided by the cores.

Results are kept in ``peers.jsonl``, one line a search and one a judged recipe, so that the script can be stopped and
started again; it ends by writing the table to ``peers.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from rivals import PEERS, Search, SpentError
from standings import write_table
from tasks import TASKS, make_task, space_of, train_plain
from winner import cpu_seconds, find_winner

RESULTS = Path(__file__).with_suffix(".jsonl")
FRESH = 10_000
"""Where the seeds begin by which winners are judged."""

CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "computing": time.process_time}
FIXED = ("guideline", "0.5 everywhere", "none")
TUNERS = ("sukima", *PEERS, *(f"{name} +" for name in PEERS), *FIXED)

Record = dict[str, Any]


class Results:
    """What is on file; lines are added as they come."""

    def __init__(self) -> None:
        text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
        self.lines: list[Record] = [json.loads(line) for line in text.splitlines()]

    def find(self, **what: Any) -> Record | None:
        """The line that holds all of this."""
        return next((line for line in self.lines if what.items() <= line.items()), None)

    def add(self, **line: Any) -> Record:
        """Keep a line."""
        self.lines.append(line)
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print({k: v for k, v in line.items() if k != "path"}, flush=True)
        return line


def search(tuner: str, task: str, repeat: int, budget: float, clock: str, limit: float | None) -> Record:
    """The line of one search."""
    computed, started = cpu_seconds(), time.perf_counter()
    load = os.getloadavg()[0]
    if tuner in FIXED:
        space = space_of(make_task(task, repeat))
        point = {d.name: {"guideline": d.usual, "none": 0.0}.get(tuner, 0.5) for d in space.dimensions}
        return {"rates": dict(space.recipe(point).rates)}
    if tuner == "sukima":
        data = make_task(task, repeat)
        found = find_winner(data, space_of(data), first_seed=1000 * repeat, budget=limit, clock=clock)
        return asdict(found) | {"budget": limit, "clock": clock, "load": load}
    work = Search(task, repeat, budget, CLOCKS[clock], accelerated=tuner.endswith("+"))
    with suppress(SpentError):
        PEERS[tuner.removesuffix(" +")](work)
    if not work.path:
        raise SystemExit(f"{tuner} finished no trial of {task} in {budget} s")
    seconds = time.perf_counter() - started
    computing = work.spent if clock == "computing" else cpu_seconds() - computed
    return {
        "rates": work.path[-1][2], "path": work.path, "trials": work.trials, "seconds": seconds, "cpu": computing,
        "budget": budget, "clock": clock, "load": load,
    }  # fmt: skip


def processor() -> str:
    """What the machine computes with: seconds are compared on the same only."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    found = dict(map(str.strip, line.split(":", 1)) for line in lines if ":" in line)
    return (
        f"{found['model name']}, model {found['model']}"
        if {"model", "model name"} <= found.keys()
        else platform.processor()
    )


def judge(results: Results, task: str, repeat: int, rates: dict[str, float], seeds: Iterable[int]) -> None:
    """Train a winner with fresh seeds, where that was not done before."""
    data = make_task(task, repeat)
    for seed in seeds:
        what = {"kind": "judged", "task": task, "repeat": repeat, "rates": rates, "seed": seed}
        if results.find(**what) is None:
            results.add(**what, **asdict(train_plain(data, rates, seed, test=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=["digits"])
    parser.add_argument("--tuners", nargs="+", choices=TUNERS, default=["sukima", *PEERS, *FIXED])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--budget", type=float, default=180.0, help="seconds for each peer")
    parser.add_argument("--limit", type=float, help="seconds for sukima; by default it ends by itself")
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    parser.add_argument("--seeds", type=int, default=6, help="fresh seeds by which a winner is judged")
    parser.add_argument("--search-only", action="store_true", help="judge nothing yet")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    results, machine = Results(), processor()
    for task in arguments.tasks:
        for repeat in range(arguments.repeats):
            for tuner in arguments.tuners:
                what = {"kind": "search", "processor": machine, "task": task, "tuner": tuner, "repeat": repeat}
                found = results.find(**what)
                if found is None:
                    found = results.add(
                        **what, **search(tuner, task, repeat, arguments.budget, arguments.clock, arguments.limit)
                    )
                if not arguments.search_only:
                    judge(results, task, repeat, found["rates"], range(FRESH, FRESH + arguments.seeds))
    write_table(results.lines, RESULTS.with_suffix(".md"))


if __name__ == "__main__":
    main()
