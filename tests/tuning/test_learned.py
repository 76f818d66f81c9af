"""Rates learned by gradient: they converge, they become candidates, and it is said where they do not."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import sukima
from sukima.base.errors import InputError
from sukima.engines.progress import Silent
from sukima.engines.torch.learned import learn_rates
from sukima.workflow.tune import tune


def model() -> nn.Module:
    return nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 32), nn.Tanh(), nn.Dropout(0.2), nn.Linear(32, 2))


def task(rows: int = 200, epochs: int = 40, **changes: object) -> sukima.Task:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows + 100, 20)).astype("float32")
    y = (x[:, 0] + x[:, 1] + rng.normal(0, 1, rows + 100) > 0).astype(int)
    settings = {"model": model, "train": (x[:rows], y[:rows]), "validation": (x[rows:], y[rows:]), "epochs": epochs}
    return sukima.Task(**(settings | {"test": (x[rows:], y[rows:]), "learning_rate": 0.005} | changes))


def test_two_starts_meet_and_more_data_needs_less() -> None:
    few = [learn_rates(task(), [["4"]], start, 0)[0] for start in (0.1, 0.6)]
    assert abs(few[0] - few[1]) < 0.05
    many = learn_rates(task(rows=4000, epochs=2), [["4"]], 0.4, 0)[0]
    same_steps = learn_rates(task(rows=200, epochs=40), [["4"]], 0.4, 0)[0]
    assert many < same_steps


def test_sites_may_share_a_rate_and_the_generators_are_left_as_they_were() -> None:
    plain = task(
        epochs=3, model=lambda: nn.Sequential(*[layer for layer in model() if not isinstance(layer, nn.Dropout)])
    )
    torch.manual_seed(5)
    before = torch.get_rng_state()
    apart = learn_rates(plain, [["1"], ["3"]], 0.3, 0)
    (shared,) = learn_rates(plain, [["1", "3"]], 0.3, 0)
    assert shared == pytest.approx(sum(apart) / 2)
    assert apart[0] != apart[1]
    assert torch.equal(torch.get_rng_state(), before)


def test_the_strategy_fixes_and_verifies_what_was_learned() -> None:
    result = tune(task(), strategy="learned", search_seeds=2, test_seeds=2, workers=1, progress=Silent())
    assert result.complete
    assert result.strategy == "learned"
    assert 3 <= len(result.search) <= 5
    assert result.remark is None
    short = tune(task(epochs=1), strategy="learned", search_seeds=1, test_seeds=2, workers=1, progress=Silent())
    assert short.remark is not None
    assert "have not converged" in str(short.remark)


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.drop, self.rnn = nn.Linear(20, 8), nn.Dropout(0.1), nn.GRU(8, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.rnn(self.drop(torch.relu(self.first(x))).unsqueeze(1))[0][:, -1]


def test_where_rates_cannot_be_learned() -> None:
    with pytest.raises(InputError, match="site drop: rates are learned before a linear layer or a convolution"):
        learn_rates(task(model=Recurrent), [["drop"]], 0.1, 0)


def test_auto_begins_with_learned_rates_and_goes_on_with_the_same_candidates(tmp_path: Path) -> None:
    small = task(rows=60, epochs=8)
    settings = {"search_seeds": 1, "test_seeds": 2, "workers": 1, "progress": Silent()}
    whole = tune(small, trials=41, **settings)
    assert whole.strategy == "learned, halving"
    first = [arm.recipe.rates["4"] for arm in whole.search[:6]]
    for start in (0.1, 0.5):
        (rate,) = learn_rates(small, [["4"]], start, 0)
        assert min(abs(rate - each) for each in first) <= 0.0251
    storage = f"sqlite:///{tmp_path}/study.db"
    tune(small, trials=29, storage=storage, **settings)  # what was given, and two whole batches
    again = tune(small, trials=41, storage=storage, **settings)
    assert [arm.recipe for arm in again.search] == [arm.recipe for arm in whole.search]
    assert again.recipe == whole.recipe


def test_auto_searches_without_where_rates_cannot_be_learned() -> None:
    settings = {"search_seeds": 1, "test_seeds": 2, "workers": 1, "progress": Silent()}
    found = tune(task(rows=60, epochs=2, model=Recurrent), trials=24, **settings)
    assert found.complete
    assert len({arm.recipe.to_json() for arm in found.search}) > 10


def test_few_trials_are_not_spent_on_learning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sukima.engines.torch.framework.learn_rates", lambda *_, **__: pytest.fail("learned"))
    settings = {"search_seeds": 1, "test_seeds": 2, "workers": 1, "progress": Silent()}
    assert tune(task(rows=60, epochs=8), trials=6, **settings).complete
