"""The figures with matplotlib: the same data as the page, in both languages, and nothing taken for a formula."""

import warnings
from dataclasses import replace
from types import ModuleType

import pytest

from sukima.base.errors import InputError
from sukima.base.messages import language

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402

from sukima.reporting.plots import plot_section  # noqa: E402


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("section", ["curves", "ladder", "comparison"])
def test_every_section_is_drawn(examples: ModuleType, section: str, lang: str) -> None:
    with warnings.catch_warnings(), language(lang):  # type: ignore[arg-type]
        warnings.simplefilter("error")
        figure = plot_section(examples.tune_result(), section)
        figure.canvas.draw()
    assert len(figure.axes) == {"curves": 4, "ladder": 3, "comparison": 1}[section]
    plt.close(figure)


def test_curves_hold_the_data(examples: ModuleType) -> None:
    result = examples.tune_result()
    figure = plot_section(result, "curves")
    runs = [list(line.get_ydata()) for line in figure.axes[0].get_lines()]
    for trial in result.comparison.baseline.trials:
        assert trial.history.validation_loss in runs
    plt.close(figure)


def test_names_are_no_formulas(examples: ModuleType) -> None:
    name = r"$\frac{a}{"
    compared = examples.comparison()
    arms = (compared.arms[0], replace(compared.arms[1], name=name))
    result = replace(compared, arms=arms, differences={name: compared.differences["guideline"]}, verdicts={})
    with language("en"):
        figure = plot_section(result, "comparison")
        figure.canvas.draw()
    assert figure.axes[0].get_yticklabels()[0].get_text() == name.replace("$", r"\$")
    plt.close(figure)


def test_unknown_section_is_one_line(examples: ModuleType) -> None:
    with pytest.raises(InputError, match="section must be one of 'curves', 'comparison', 'ladder', got 'recipe'"):
        plot_section(examples.tune_result(), "recipe")
