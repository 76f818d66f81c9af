"""The choice of the winner: the search's best are trained with fresh seeds, and the best of them wins."""

from __future__ import annotations

from collections.abc import Sequence

from sukima.records.recipe import Recipe
from sukima.records.result import Comparison, Rung
from sukima.tuning.finalists import best_of, finalists, winner_of
from sukima.tuning.search import Search
from sukima.tuning.space import Point
from sukima.tuning.study import Entry
from sukima.tuning.surface import best_of_surface
from sukima.workflow.compare import run_arms
from sukima.workflow.ending import Ending
from sukima.workflow.plan import BASELINE, Plan

__all__ = ["Choice"]


class Choice:
    """The winner, as far as it is known; `best` can be asked for at any moment.

    Args:
        plan: the space, and its two points that are always trained.
        search: where the candidates are from.
        end: with which seeds finalists are trained, and how many there are.
        rungs: those of the ladder, as they come.

    Attributes:
        comparison: of the finalists, once they were trained.
    """

    def __init__(self, plan: Plan, search: Search, end: Ending, rungs: Sequence[Rung]) -> None:
        self._plan, self._search, self._end, self._rungs = plan, search, end, rungs
        self._winner: Recipe | None = None
        self.comparison: Comparison | None = None

    def make(self) -> None:
        """The best few with fresh seeds, beside the baseline; the winner is the best of them if it beats that.

        Of few candidates it is the best of them, whatever the baseline does.
        """
        plan, search, end = self._plan, self._search, self._end
        arms = {} if end.few else {BASELINE: plan.baseline}
        arms |= {plan.name(entry): plan.space.recipe(entry.point) for entry in self._finalists()}
        if len(arms) < 2:
            return
        search.engine.stage("finalists", len(arms) * len(end.unseen))
        level = 1 - 0.05 / (len(arms) - 1)
        found = run_arms(
            plan.task, arms, end.confirming, search.engine, by=search.by, level=level, test=False, sampled=True
        )
        if end.unseen.intersection(found.arms[0].seeds):  # else there was no time for any
            self.comparison = found
        if not found.complete:
            raise KeyboardInterrupt
        if self.comparison is not None:
            self._winner = best_of(found) if end.few else winner_of(found)

    def best(self) -> Recipe:
        """The winner; where time did not last for the finalists, what the search itself has for the best."""
        if self._winner is not None:
            return self._winner
        best = self._ranked()
        return self._plan.space.recipe(best[0].point) if best else self._plan.baseline

    def _finalists(self) -> list[Entry]:
        """The search's best, what a smooth surface through all candidates has for the best, the guideline, the next.

        Of few candidates only the best.
        """
        plan, search, end = self._plan, self._search, self._end
        if end.few:
            return finalists(plan.space, search.finished(), count=end.finalists)
        best = self._ranked()
        smooth = best_of_surface(plan.space, search.finished(), increases=search.increases)
        points = [*([smooth] if smooth is not None and self._has_room(smooth) else []), plan.usual]
        others = search.evaluate(search.known(points))
        chosen = [*best[:1], *(entry for entry in others if entry.state == "complete"), *best[1:]]
        return finalists(plan.space, chosen, plan.baseline, end.finalists)

    def _ranked(self) -> list[Entry]:
        """What the ladder accepted, last first; of other strategies all that ended, best first."""
        finished = self._search.finished()
        by_recipe = {self._plan.space.recipe(entry.point).to_json(): entry for entry in finished}
        climbed = [rung.recipe.to_json() for rung in reversed(self._rungs) if rung.accepted]
        return [by_recipe[recipe] for recipe in climbed if recipe in by_recipe] or finished

    def _has_room(self, point: Point) -> bool:
        """Whether the point was tried, or the search may have one more candidate for it."""
        search, entries = self._search, self._search.entries()
        alone = max(len(search.seeds), search.engine.workers)  # what the others could train meanwhile is lost
        needed = self._end.choice_trainings + alone
        free = len(entries) < search.trials and search.trainings_left() >= needed
        return free or any(entry.point == point for entry in entries)
