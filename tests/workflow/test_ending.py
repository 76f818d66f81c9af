"""The end of a search fits what time there is."""

from types import SimpleNamespace

import pytest

from sukima.tuning.deadline import Deadline
from sukima.workflow.ending import SHARE, Ending

SEEDS = range(3)


def test_seeds_of_the_end_were_not_seen_in_the_search() -> None:
    end = Ending(range(7, 10), test_seeds=6)
    assert len({*range(7, 10), *end.confirming, *end.fresh}) == 3 + 4 + 6
    assert len(Ending(range(9), 6).confirming) == 9


def test_without_a_budget_nothing_is_cut() -> None:
    end, deadline = Ending(SEEDS, 6), Deadline(None)
    before = end.trainings
    end.fit(deadline, 1e6)
    assert end.trainings == before == 4 * 4 + 3 * 6
    assert not deadline.reserve


def test_a_long_budget_keeps_everything_and_its_time(clock: SimpleNamespace) -> None:
    end, deadline = Ending(SEEDS, 6), Deadline(1000.0)
    end.fit(deadline, 2.0)
    assert end.finalists == 3
    assert deadline.reserve == end.trainings * 2.0 == 68.0
    clock.now = 900.0
    assert deadline.left == 32.0
    end.begin_choice(deadline)
    assert deadline.left == 1000 - 900 - 3 * 6 * 2.0
    end.begin_comparison(deadline)
    assert deadline.left > 100.0


@pytest.mark.parametrize("pace", [1.0, 2.0, 5.0, 50.0])
def test_a_short_budget_cuts_seeds_and_keeps_time_for_the_search(pace: float) -> None:
    end, deadline = Ending(SEEDS, 6), Deadline(40.0)
    end.fit(deadline, pace)
    assert len(end.confirming) >= 2
    assert len(end.fresh) >= 2
    assert deadline.reserve <= 0.6 * 40
    if end.trainings * pace > SHARE * 40:
        assert (len(end.confirming), len(end.fresh)) == (2, 2) or end.finalists == 2


def test_where_there_are_few_candidates_the_search_s_own_runs_count() -> None:
    end, deadline = Ending(range(5, 6), 6), Deadline(100.0)
    fresh = end.confirming[0]
    end.fit(deadline, 5.0, known=(5,))
    assert tuple(end.confirming) == (5, fresh)
    assert end.choice_trainings == 2  # two finalists, with the fresh seed
    assert deadline.reserve == (2 + 3 * 3) * 5.0


def test_time_that_the_search_leaves_goes_to_more_seeds(clock: SimpleNamespace) -> None:
    end, deadline = Ending(range(1), 6, workers=2), Deadline(180.0)
    end.fit(deadline, 10.0, known=(0,))
    planned = tuple(end.fresh)
    assert len(planned) == 2
    # Of three seeds' nine trainings the last takes as long as two.
    for now, seeds in ((0.0, 6), (55.0, 4), (79.0, 3), (85.0, 2), (170.0, 0)):
        clock.now = now
        assert end.affordable_seeds(deadline) == seeds
    assert deadline.reserve > 0  # to ask changes nothing
    assert Ending(range(1), 6).affordable_seeds(deadline) == 6  # nothing has been timed
    end.compare_with(0)
    assert tuple(end.fresh) == planned
    end.compare_with(4)
    assert len(end.fresh) == 4
    assert tuple(end.fresh)[:2] == planned


def test_finalists_of_few_candidates_take_one_round_of_the_workers(clock: SimpleNamespace) -> None:
    for workers, finalists in ((2, 2), (3, 3), (8, 3)):
        end = Ending(range(1), 6, workers=workers)
        end.fit(Deadline(100.0), 5.0, known=(0,))
        assert end.finalists == finalists
        assert end.choice_trainings == workers


def test_what_is_left_for_one_worker_takes_as_long_as_for_all() -> None:
    end = Ending(SEEDS, 6, workers=8)
    assert end.choice_trainings == 16
    assert end.trainings == 16 + 24
