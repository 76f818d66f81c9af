"""Advice depends on the verdict, on the sites and their rates, and on the data; it can be put as a recipe."""

from collections.abc import Callable

import pytest

from sukima.diagnosis import judge
from sukima.diagnosis.known import Known, known_of
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.site import Site
from sukima.records.verdict import Verdict

Make = Callable[..., History]


def said(verdict: Verdict) -> str:
    return "\n".join(message.text("en") for message in verdict.advice)


def test_overfitting_raises_the_rates_of_the_recipe(history: Make) -> None:
    known = Known(recipe=Recipe(rates={"fc1": 0.3, "fc2": 0.2}))
    verdict = judge([history(rise=0.01, turn=25)], known=known)
    assert verdict.recipe is not None
    assert verdict.recipe.rates == {"fc1": 0.5, "fc2": 0.4}
    assert verdict.recipe.early_stopping is not None
    assert "raise the rate at fc1 from 0.3 to 0.5" in said(verdict)
    assert f"stop at epoch {verdict.onset_epoch - 1}" in said(verdict)  # type: ignore[operator]


def test_rates_stay_within_what_is_usual_at_their_place(history: Make) -> None:
    sites = [
        Site(name="in", place="input"),
        Site(name="conv", place="convolution", rate=0.3),
        Site(name="fc", rate=0.5),
        Site(name="out", place="output"),
    ]
    verdict = judge([history(rise=0.01, turn=25)], known=Known(sites=sites))
    assert verdict.recipe is not None
    rates = verdict.recipe.rates
    assert "out" not in rates
    assert rates["in"] <= 0.3
    assert 0.3 < rates["conv"] <= 0.4
    assert rates["fc"] == 0.6


def test_where_no_rate_can_rise_weight_decay_joins(history: Make) -> None:
    known = Known(recipe=Recipe(rates={"fc": 0.6}))
    verdict = judge([history(rise=0.01, turn=25)], known=known)
    assert verdict.recipe is not None
    assert verdict.recipe.rates == {"fc": 0.6}
    assert verdict.recipe.weight_decay
    assert "weight decay" in said(verdict)


def test_causes_are_named_where_the_evidence_allows(history: Make) -> None:
    run = history(rise=0.01, turn=15)
    assert "too little data" in said(judge([run], known=Known(rows=200)))
    assert "more data" in said(judge([run], known=Known(rows=200)))
    assert "too many features" in said(judge([run], known=Known(rows=200, inputs=100)))
    assert "smaller one" in said(judge([run], known=Known(rows=2000, parameters=10**6)))
    assert "too many epochs" in said(judge([run]))
    assert "cause: too little" not in said(judge([run], known=Known(rows=50_000)))


def test_underfitting_lowers_the_rates() -> None:
    row = History(train_metric=[0.7], validation_metric=[0.68], metric="accuracy")
    recipe = Recipe(rates={"fc": 0.5}, weight_decay=0.1, options={"width": 32, "deep": True})
    verdict = judge([row], known=Known(recipe=recipe))
    assert verdict.recipe == Recipe(rates={"fc": 0.3}, weight_decay=0.0, options={"width": 64, "deep": True})
    assert "lower the rate at fc from 0.5 to 0.3" in said(verdict)


def test_unfinished_says_what_more_epochs_gain(history: Make) -> None:
    verdict = judge([history(epochs=20, speed=40, gap=0.02)])
    assert "another 40 epochs" in said(verdict)


def test_surer_errors_ask_for_label_smoothing(history: Make) -> None:
    run = history(rise=0.01, turn=25)
    run.metric = "accuracy"
    run.train_metric = [0.99] * 60
    run.validation_metric = [0.9] * 60
    verdict = judge([run])
    assert verdict.verdict == "overfitting"
    assert verdict.recipe is not None
    assert verdict.recipe.label_smoothing == pytest.approx(0.1)


def test_a_small_validation_set_is_told() -> None:
    epochs = range(20)
    run = History(
        train_loss=[2 / (i + 1) for i in epochs],
        validation_loss=[2 / (i + 1) + 0.1 for i in epochs],
        train_metric=[0.5 + i / 50 for i in epochs],
        validation_metric=[round((20 + i) / 43, 6) for i in epochs],
        metric="accuracy",
    )
    assert "about 43 rows" in said(judge([run]))


def test_every_advice_reads_in_japanese(history: Make) -> None:
    for run in (history(rise=0.01), history(epochs=20, speed=40), history(gap=0.02, floor=1.5)):
        verdict = judge([run], known=Known(rows=100, inputs=90, parameters=10**5))
        for message in (*verdict.evidence, *verdict.advice):
            assert message.text("ja") != message.text("en")


def test_a_torch_model_gives_sites_and_weights() -> None:
    nn = pytest.importorskip("torch", reason="PyTorch is not installed").nn
    known = known_of(model=nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2)), rows=10)
    assert known.rates() == {"2": 0.3}
    assert known.parameters == 4 * 8 + 8 + 8 * 2 + 2
