"""The table of `peers.py` from its lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from scipy import stats

from sukima.workflow.environment import environment

__all__ = ["write_table"]

Line = dict[str, Any]

_HEAD = """# sukima and the tuners that people use

Made by `benchmarks/tune/peers.py`; its first lines say what is compared. *Seconds* are on the clock, *computing* is
processor seconds of all processes, both means over repeats. Losses are those of the winners with fresh seeds, mean ±
standard error over repeats and seeds. *sukima less* is how much lower sukima's is on the same data and seeds, with a
95 % interval over repeats and seeds; below zero, sukima's is higher. *Share* is sukima's part of what the peer had,
until its winner was chosen: by the clock, and of computing. Peers train one candidate at a time in one process, as
their users do, so that a budget of computing is the same by the clock of an idle machine; Ray Tune trains two at a
time, and has spent its budget in half of that; sukima uses both cores by itself. A share counts for the claim only
where sukima's loss is not higher beyond noise ("yes" in the last column).
*Load* is the mean number of processes that wanted to run when a search began.
"""

_AT_ONCE = {"Ray Tune ASHA": 2}
"""Trials at a time, where it is not one."""

_COLUMNS = (
    "tuner", "repeats", "trials", "seconds", "computing", "load", "validation loss", "sukima less", "test loss",
    "sukima less", "share by the clock", "of computing", "no worse",
)  # fmt: skip


def write_table(lines: Sequence[Line], path: Path) -> None:
    """Write the page, and print its tables; a search counts once its winner was judged."""
    searches = [line for line in lines if line["kind"] == "search" and _judged(lines, line, "test")]
    order, parts = list(dict.fromkeys(line["task"] for line in searches)), []
    groups = dict.fromkeys((line["task"], line["processor"]) for line in searches)
    shares: dict[str, dict[str, str]] = {task: {} for task in order}
    for task, processor in sorted(groups, key=lambda group: order.index(group[0])):
        of_task = [line for line in searches if (line["task"], line["processor"]) == (task, processor)]
        rows = [_cells(lines, of_task, tuner) for tuner in dict.fromkeys(line["tuner"] for line in of_task)]
        parts.append(f"## {task}, {processor}\n\n" + _table(_COLUMNS, rows))
        for tuner, *_, clock, computing, fine in rows:
            if computing:
                shares[task][tuner] = f"{clock} ({computing})".strip() + ("" if fine == "yes" else ", but worse")
    tuners = sorted(dict.fromkeys(tuner for of_task in shares.values() for tuner in of_task))
    brief = _table(["task", *tuners], [[task, *(shares[task].get(t, "") for t in tuners)] for task in order])
    parts.insert(0, f"## Share by the clock (of computing)\n\n{brief}")
    text = "\n\n".join(parts)
    made = ", ".join(f"{key} {value}" for key, value in environment().items())
    notes = path.with_suffix(".notes.md")
    said = notes.read_text(encoding="utf-8") if notes.exists() else ""
    path.write_text(f"{_HEAD}\n{said}\n{text}\n\nMade with {made}.\n", encoding="utf-8")
    print(text)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows))


def _cells(lines: Sequence[Line], of_task: Sequence[Line], tuner: str) -> list[str]:
    """The row of a tuner, by `_COLUMNS`."""
    mine = {line["repeat"]: line for line in of_task if line["tuner"] == "sukima"}
    these = {line["repeat"]: line for line in of_task if line["tuner"] == tuner}
    cells = [tuner, str(len(these))]
    for key, digits in (("trials", 0), ("seconds", 1), ("cpu", 1), ("load", 1)):
        values = [line.get("trainings" if key == "trials" and tuner == "sukima" else key) for line in these.values()]
        cells.append(f"{fmean(values):.{digits}f}" if None not in values else "")
    fine = ""
    for side in ("validation", "test"):
        values, gains = [], []
        for repeat, line in these.items():
            scores = _judged(lines, line, side)
            values += scores.values()
            if repeat in mine and tuner != "sukima":
                ours = _judged(lines, mine[repeat], side)
                gains += [scores[seed] - ours[seed] for seed in scores.keys() & ours.keys()]
        cells.append(_spread(values))
        low, high = _interval(gains)
        cells.append(f"{fmean(gains):+.4f} [{low:+.4f}, {high:+.4f}]" if len(gains) > 1 else "")
        if len(gains) > 1:
            fine = "no" if high < 0 or fine == "no" else "yes"
    return [*cells, *_shares(mine, {} if tuner == "sukima" else these, _AT_ONCE.get(tuner.removesuffix(" +"), 1)), fine]


def _shares(mine: Mapping[int, Line], theirs: Mapping[int, Line], at_once: int) -> tuple[str, str]:
    """sukima's part of a peer's time, by the clock of an idle machine where that is known, and of its computing."""
    both = [repeat for repeat in theirs if repeat in mine and "cpu" in theirs[repeat]]
    if not both:
        return "", ""
    spent = sum(theirs[repeat]["cpu"] for repeat in both)
    computing = f"{sum(mine[repeat]['cpu'] for repeat in both) / spent:.2f}"
    if any(mine[repeat].get("clock") == "computing" for repeat in both):
        return "", computing
    told = [theirs[repeat]["clock"] == "computing" for repeat in both]
    clock = spent / at_once if all(told) else sum(theirs[repeat]["seconds"] for repeat in both)
    return f"{sum(mine[repeat]['seconds'] for repeat in both) / clock:.2f}", computing


def _judged(lines: Sequence[Line], found: Line, side: str) -> dict[int, float]:
    """Seed → loss of a search's winner."""
    what = {"kind": "judged", "task": found["task"], "repeat": found["repeat"], "rates": found["rates"]}
    return {line["seed"]: line[side] for line in lines if what.items() <= line.items()}


def _spread(values: Sequence[float]) -> str:
    if len(values) < 2:
        return ""
    return f"{fmean(values):.4f} ± {stdev(values) / len(values) ** 0.5:.4f}"


def _interval(gains: Sequence[float]) -> tuple[float, float]:
    """Student's, 95 %."""
    if len(gains) < 2:
        return float("-inf"), float("inf")
    half = float(stats.t.ppf(0.975, len(gains) - 1)) * stdev(gains) / len(gains) ** 0.5
    return fmean(gains) - half, fmean(gains) + half
