"""Histories and their truths, from the file that ``generate.py`` writes or from the committed sample.

``python histories.py RUNS.jsonl`` makes that sample: the groups that are only reported on.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from configuration import GROUP

from sukima.base.errors import InputError
from sukima.diagnosis.curves import curves_of
from sukima.records.history import History

SAMPLE = Path(__file__).with_name("sample.jsonl.gz")
"""The histories of the groups that are only reported on."""


@dataclass(frozen=True)
class Example:
    """A history, its truth, the middle of the best window of the held-out curve, and the group of its configuration."""

    history: History
    truth: str
    best_epoch: float
    group: int

    @property
    def reported(self) -> bool:
        """Whether it may only be reported on."""
        return self.group % 2 == 1


def examples(path: Path = SAMPLE) -> list[Example]:
    """Every history in the file that has one finite epoch at least."""
    return [example for record in records(path) for example in of_record(record) if _has_finite(example.history)]


def records(path: Path) -> Iterator[dict[str, object]]:
    data = path.read_bytes()
    text = gzip.decompress(data) if path.suffix == ".gz" else data
    return map(json.loads, text.splitlines())


def of_record(record: dict) -> Iterator[Example]:
    train = record["running_loss" if record["running"] else "train_loss"]
    classes = record["data"] not in ("concrete", "energy")
    for epochs, label, best in record["truths"]:
        history = History(
            train_loss=train[:epochs],
            validation_loss=record["validation_loss"][:epochs],
            train_metric=record["train_metric"][:epochs] if classes else [],
            validation_metric=record["validation_metric"][:epochs] if classes else [],
            metric="accuracy" if classes else "",
            train_in_inference_mode=not record["running"],
        )
        yield Example(history, label, best, record["number"] // GROUP)


def _has_finite(history: History) -> bool:
    try:
        curves_of(history)
    except InputError:
        return False
    return True


def main(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if json.loads(line)["number"] // GROUP % 2]
    SAMPLE.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0))
    print(f"{len(lines)} runs, {SAMPLE.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
