"""What a search is over: the task's sites and space, the two points where it begins, and the study's name."""

from __future__ import annotations

import hashlib
from typing import get_args

from sukima.base.checks import check_choice, check_instance
from sukima.base.errors import InputError
from sukima.engines.choose import framework
from sukima.engines.progress import Progress
from sukima.records.task import Task
from sukima.tuning.space import Breadth, Point, Space
from sukima.tuning.study import Entry
from sukima.workflow.compare import note_functional

__all__ = ["BASELINE", "GUIDELINE", "WINNER", "Plan", "study_name"]

BASELINE, GUIDELINE, WINNER = "baseline", "guideline", "winner"
"""The names of tune's arms; a winner that is the guideline's recipe has no arm of its own."""


class Plan:
    """What there is to search, and where the search begins."""

    def __init__(self, task: Task, space: Space | Breadth | None, progress: Progress) -> None:
        self.task = task
        inspected = framework(task).inspect_model(task)
        note_functional(inspected, progress)
        self.model = inspected.model
        self.sites = tuple(site for site in inspected.sites if site.place != "output")
        if space is None or isinstance(space, str):
            check_choice("space", space or "rates", get_args(Breadth))
            if not self.sites and space in (None, "rates"):
                raise InputError(
                    "model: expected dropout, or hidden activations after which it can be inserted, got none in "
                    "{model}",
                    model=self.model,
                )
            classes = task.loss == "cross_entropy"
            space = Space.of(inspected.sites, breadth=space or "rates", classification=classes)
        check_instance("space", space, Space)
        self.space = space
        # Without anything that regularizes, as far as the space reaches; and as the guideline has it.
        self.none: Point = space.nothing()
        self.usual: Point = space.usual()
        self.baseline, self.guideline = (space.recipe(point) for point in (self.none, self.usual))
        framework(task).check_recipes(task, [self.baseline, self.guideline])
        self.metric_increases = framework(task).metric_increases(task)

    def name(self, entry: Entry) -> str:
        """Of a candidate as an arm."""
        if entry.point == self.none:
            return BASELINE
        return GUIDELINE if entry.point == self.usual else f"#{entry.number}"


def study_name(task: Task, space: Space, strategy: str, by: str, seeds: range) -> str:
    """The task's, with a fingerprint of all that a study depends on, so that another task never goes on with it."""
    parts = repr((framework(task).fingerprint(task), space, strategy, by, seeds))
    return f"{task.name} {hashlib.sha256(parts.encode()).hexdigest()[:10]}"
