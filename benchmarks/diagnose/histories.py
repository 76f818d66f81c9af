"""Histories and their truths, from the file that ``generate.py`` writes or from the committed sample.

``python histories.py RUNS.jsonl`` makes the samples: the groups that are only reported on.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
from configuration import FITTED, GROUP, LONG, reported
from truth import chances

from sukima.base.errors import InputError
from sukima.diagnosis.curves import curves_of
from sukima.records.history import History

SAMPLE = Path(__file__).with_name("sample.jsonl.gz")
"""The histories of the groups that are only reported on."""
WITHOUT = 0.3
"""Share of the beginnings only fitted on that hold no accuracy; half as many hold no loss."""
LONGER = Path(__file__).with_name("longer.jsonl.gz")
"""The same of the longer runs."""


@dataclass(frozen=True)
class Example:
    """A history with its truth.

    Attributes:
        history: the curves.
        truth: what `truth.py` says.
        best_epoch: the middle of the best window of the held-out curve.
        number: that of the configuration.
        held_out: the held-out curve to three times the epochs of the run.
        alike: whether the history was drawn as those are that are reported on.
        chances: how much each of the truths holds.
    """

    history: History
    truth: str
    best_epoch: float
    number: int
    held_out: tuple[float, ...]
    alike: bool = True
    chances: tuple[float, ...] = ()

    @property
    def group(self) -> int:
        """The group of its configuration."""
        return self.number // GROUP

    @property
    def reported(self) -> bool:
        """Whether it may only be reported on."""
        return reported(self.number)


def examples(path: Path = SAMPLE, *, accuracies_alone: bool = False) -> list[Example]:
    """Every history in the file that has one finite epoch at least; if asked, of those with accuracies these alone."""
    made = (of_record(record, 0.0) if accuracies_alone else of_record(record) for record in records(path))
    found = (example for some in made for example in some)
    if accuracies_alone:
        found = (replace(one, history=without_losses(one.history)) for one in found if one.history.train_metric)
    return [example for example in found if _has_finite(example.history)]


def without_losses(history: History) -> History:
    """The same history where only accuracies were logged."""
    return msgspec.structs.replace(history, train_loss=[], validation_loss=[])


def records(path: Path) -> Iterator[dict[str, object]]:
    data = path.read_bytes()
    text = gzip.decompress(data) if path.suffix == ".gz" else data
    return map(json.loads, text.splitlines())


def of_record(record: dict, without: float = WITHOUT) -> Iterator[Example]:
    """The histories of a run; of one that is only fitted on with the training curve measured in both ways.

    Of these some have the running mean also of the accuracy, as most loops log it, and some do not say how training
    was measured. Of the beginnings that only they have, some hold no accuracy and some no loss.
    """
    fitted = record["number"] >= FITTED and not reported(record["number"])
    classes = record["data"] not in ("concrete", "energy")
    rng = np.random.default_rng([2033, record["number"]])
    both, *told = rng.random(3) < 0.5
    for running in (True, False) if fitted else (record["running"],):
        train = record["running_loss" if running else "train_loss"]
        accuracy = record["running_metric" if fitted and running and both else "train_metric"]
        for place, (epochs, label, best, *_) in enumerate(record["truths"]):
            kept = float(rng.random()) if classes and place > 1 else 1.0
            shown = classes and kept >= without
            history = History(
                train_loss=train[:epochs] if not without <= kept < 1.5 * without else [],
                validation_loss=record["validation_loss"][:epochs] if not without <= kept < 1.5 * without else [],
                train_metric=accuracy[:epochs] if shown else [],
                validation_metric=record["validation_metric"][:epochs] if shown else [],
                metric="accuracy" if shown else "",
                train_in_inference_mode=None if fitted and not told[int(running)] else not running,
            )
            alike = place < 2 and running == record["running"]
            spread = tuple(_chances(record, place))
            yield Example(history, label, best, record["number"], tuple(record["held_out"]), alike, spread)


def _chances(record: dict, place: int) -> list[float]:
    epochs, label, _, *rest = record["truths"][place]
    width, nothing = max(1, epochs // 10), float("nan")
    curve, fitted = np.array(record["held_out"]), record["train_loss"][:epochs][-width:]
    if len(curve) < epochs:
        return chances(label, rise=nothing, error=nothing, end=nothing, gain=nothing, fitted=1, reference=1)
    windows = np.convolve(curve[:epochs], np.ones(width) / width, "valid")
    end, later = float(windows[-1]), curve[: 3 * epochs]
    return chances(
        label,
        rise=end - float(windows.min()),
        error=rest[0] if rest else nothing,
        end=end,
        gain=1 - float(later[-width:].mean()) / end if len(later) == 3 * epochs else nothing,
        fitted=float(np.mean(fitted)),
        reference=record["reference"],
    )


def _has_finite(history: History) -> bool:
    try:
        curves_of(history)
    except InputError:
        return False
    return True


def main(path: Path) -> None:
    numbers = {line: json.loads(line)["number"] for line in path.read_text().splitlines()}
    for sample, long in ((SAMPLE, False), (LONGER, True)):
        lines = [line for line, number in numbers.items() if reported(number) and (number >= LONG) == long]
        if lines:
            sample.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0))
            print(f"{sample.name}: {len(lines)} runs, {sample.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
