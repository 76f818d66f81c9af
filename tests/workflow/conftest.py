"""What tests of the work share."""

from types import SimpleNamespace

import pytest


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The clock of deadlines, set by hand: ``now`` is what it shows."""
    made = SimpleNamespace(now=0.0)
    made.perf_counter = lambda: made.now
    monkeypatch.setattr("sukima.tuning.deadline.time", made)
    return made
