"""The file of finished runs, so that a comparison that was stopped goes on where it was.

A line is one run, as JSON; a line that a stop cut in half is passed over. What a run depends on (task, recipe, seed,
versions) decides its name, so that a file never hands out a run of something else.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

import sukima
from sukima.comparison.plan import ArmPlan
from sukima.engines.choose import framework
from sukima.records.files import check_writable, read_text
from sukima.records.result import Trial

__all__ = ["RunFile"]


class RunFile:
    """Finished runs by name: those of the file, and those that are added."""

    def __init__(self, path: str | Path | None) -> None:
        self.path = None if path is None else check_writable(path)
        self._trials: dict[str, Trial] = {}
        self._tasks: dict[int, list[str]] = {}
        self._torn = False
        if self.path is not None and self.path.exists():
            text = read_text(self.path)
            self._torn = bool(text) and not text.endswith("\n")
            self._read(text)

    def _read(self, text: str) -> None:
        for line in text.splitlines():
            try:
                entry = json.loads(line)
                self._trials[entry["run"]] = msgspec.convert(entry["trial"], Trial, strict=False)
            except (ValueError, KeyError, TypeError):
                continue

    def name(self, plan: ArmPlan, seed: int, *, effects: bool = True) -> str:
        """What decides the run, in a few characters."""
        if id(plan.task) not in self._tasks:
            trainer = framework(plan.task)
            self._tasks[id(plan.task)] = [trainer.fingerprint(plan.task), *trainer.versions()]
        parts = [
            *self._tasks[id(plan.task)],
            plan.recipe.to_json(),
            plan.members,
            seed,
            effects,
            sukima.__version__,
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]

    def get(self, name: str) -> Trial | None:
        """The run of that name, if it is finished."""
        return self._trials.get(name)

    def add(self, name: str, trial: Trial) -> None:
        """Keep a run; it is in the file when this returns."""
        self._trials[name] = trial
        if self.path is not None:
            line = json.dumps({"run": name, "trial": _writable(msgspec.to_builtins(trial))})
            with self.path.open("a", encoding="utf-8") as file:
                file.write("\n" * self._torn + line + "\n")
            self._torn = False


def _writable(value: Any) -> Any:
    """JSON has no infinite numbers; a string of them is read as a number again."""
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _writable(entry) for key, entry in value.items()}
    return [_writable(entry) for entry in value] if isinstance(value, list | tuple) else value
