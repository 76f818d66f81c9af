"""What a report says, block by block: known answers on small records."""

import math
from dataclasses import replace
from types import ModuleType

import pytest

from sukima.records.recipe import Recipe
from sukima.records.result import Rung
from sukima.reporting.blocks import Chart, Facts, Headline, Network, Panels, Table
from sukima.reporting.document import comparison_document, tune_document
from sukima.reporting.sections.arms import best_arm, mean_text, winner_of
from sukima.reporting.sections.curves import mean_curve, robust_range
from sukima.reporting.sections.ladder import flat_range, influences
from sukima.reporting.sections.verdict import better_still, comparison_headline
from sukima.reporting.text import in_language


def rung(rate: float, values: tuple[float, ...], *, site: str = "*", accepted: bool = False) -> Rung:
    return Rung(Recipe(rates={"a": rate, "b": 0.2}), site, rate, values, 0.0, 0.0, accepted)


def test_mean_curve_ends_where_fewer_than_half_of_the_runs_are_left() -> None:
    assert mean_curve([[1, 2, 3, 4], [3, 4], [5, 6, 7]]) == (3, 4, 5)
    assert mean_curve([]) == ()


def test_mean_curve_breaks_where_a_run_is_not_finite() -> None:
    first, second = mean_curve([[1, math.inf], [1, 2]])
    assert first == 1
    assert math.isnan(second)


def test_range_leaves_the_first_epochs_to_zooming() -> None:
    low, high = robust_range([[100.0, 50.0, *[1.0] * 20]]) or (None, None)
    assert low == 0
    assert 1 < high < 2
    assert robust_range([[math.nan], []]) is None


def test_flat_range_holds_what_cannot_be_told_from_the_best() -> None:
    rungs = [
        rung(0.0, (0.20, 0.21, 0.22)),
        rung(0.1, (0.12, 0.09, 0.11)),
        rung(0.2, (0.10, 0.10, 0.10)),
        rung(0.3, (0.101, 0.095, 0.107)),
        rung(0.4, (0.15, 0.151, 0.152)),
    ]
    assert flat_range(rungs, increases=False) == (0.1, 0.3)
    assert flat_range([rung(0.1, (0.1,)), rung(0.2, (0.1,))], increases=False) is None
    accuracy = [replace(one, values=tuple(-value for value in one.values)) for one in rungs]
    assert flat_range(accuracy, increases=True) == (0.1, 0.3)


def test_influence_counts_from_where_a_site_started() -> None:
    ladder = (
        rung(0.0, (0.5, 0.5), accepted=True),
        rung(0.1, (0.4, 0.4), accepted=True),
        rung(0.2, (0.3, 0.3), site="a", accepted=True),
        rung(0.3, (0.35, 0.35), site="a"),
        rung(0.3, (0.32, 0.32), site="b"),
    )
    assert influences(ladder) == pytest.approx({"a": 0.1, "b": 0.02})


def test_seeds_in_a_row_are_a_range(examples: ModuleType) -> None:
    facts = [
        f
        for s in tune_document(examples.tune_result()).sections
        for b in s.blocks
        if isinstance(b, Facts)
        for f in b.facts
    ]
    seeds = [fact.value for fact in facts if in_language(fact.label, "en").startswith("seeds")]
    assert seeds == ["0–2", "11–15"]


def test_diverged_runs_are_counted() -> None:
    assert in_language(mean_text([0.1, 0.3, math.inf]), "en") == "0.2000 ± 0.1414 (1 diverged)"
    assert in_language(mean_text([math.nan]), "en") == "– (1 diverged)"
    assert mean_text([None]) == "–"


def test_winner_is_the_arm_with_the_recipe(examples: ModuleType) -> None:
    compared = examples.comparison()
    assert winner_of(compared, compared.arms[1].recipe) is compared.arms[1]
    assert winner_of(compared, Recipe(rates={"1": 0.0})) is None
    assert winner_of(compared, Recipe(rates={"1": 0.9})) is None


def test_best_arm_is_better_beyond_doubt(examples: ModuleType) -> None:
    assert best_arm(examples.comparison()).name == "tuned"
    assert best_arm(examples.comparison(0.0)) is None


def headline_of(comparison: object) -> tuple[str, str]:
    found = comparison_headline(comparison, best_arm(comparison))  # type: ignore[arg-type]
    return in_language(found.answer, "en"), in_language(found.detail, "en")


def test_headline_names_the_best_of_many_and_counts(examples: ModuleType) -> None:
    answer, detail = headline_of(examples.comparison(0.03))
    assert answer == "Yes: tuned"
    assert detail.endswith("Of 2 recipes, 2 are better beyond doubt.")


def test_headline_without_any_finished_run(examples: ModuleType) -> None:
    for arms in (2, 3):
        compared = examples.comparison()
        unfinished = replace(compared, arms=compared.arms[:arms], differences={})
        assert headline_of(unfinished) == ("Not known yet", "No run was finished.")


def test_a_better_guideline_is_owned_to(examples: ModuleType) -> None:
    compared = examples.comparison()
    tuned = compared.arms[2]
    assert better_still(compared, tuned) is None
    compared.differences["guideline"] = examples.difference([0.9, 0.8], 0.1)
    word = better_still(compared, tuned)
    assert word is not None
    assert "Here guideline gains more (+0.8500)" in in_language(word.text, "en")


def test_tune_document_holds_everything(examples: ModuleType) -> None:
    document = tune_document(examples.tune_result())
    kinds = {section.name: [type(block) for block in section.blocks] for section in document.sections}
    assert kinds["verdict"][:2] == [Headline, Facts]
    assert list(kinds) == [
        "verdict", "baseline", "curves", "comparison", "ladder", "sites", "recipe", "origin"
    ]  # fmt: skip
    network = next(b for s in document.sections for b in s.blocks if isinstance(b, Network))
    assert [(site.name, site.rate, site.units, site.inserted) for site in network.sites] == [
        ("1", 0.5, 256, True),
        ("3", 0.3, 128, True),
    ]
    ladder = next(s for s in document.sections if s.name == "ladder")
    titles = [in_language(c.title, "en") for b in ladder.blocks if isinstance(b, Panels) for c in b.charts]
    assert titles == ["All sites together", "Site 1", "Site 3"]


def test_rows_are_as_long_as_their_columns(examples: ModuleType) -> None:
    for document in (tune_document(examples.tune_result()), comparison_document(examples.comparison())):
        tables = [block for section in document.sections for block in section.blocks if isinstance(block, Table)]
        assert tables
        assert all(len(row.cells) == len(table.columns) for table in tables for row in table.rows)


def test_arms_share_their_axes(examples: ModuleType) -> None:
    document = tune_document(examples.tune_result())
    curves = next(section for section in document.sections if section.name == "curves")
    first = next(block for block in curves.blocks if isinstance(block, Panels))
    assert len({chart.y_range for chart in first.charts}) == 1
    assert all(isinstance(chart, Chart) and chart.fill == (0, 1) for chart in first.charts)
