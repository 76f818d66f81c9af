"""The search: what was tried at each rate, which dimensions matter, the best candidates and the finalists."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from sukima.base.messages import say
from sukima.records.result import Arm, Comparison, TuneResult
from sukima.reporting.blocks import Block, Chart, Column, Panels, Paragraph, Point, Row, Series, Table
from sukima.reporting.numbers import count, interval, number, rate_text, signed
from sukima.reporting.sections.arms import arm_name, measure_name
from sukima.reporting.sections.curves import candidates_chart
from sukima.reporting.sections.ladder import MOST_PANELS, ladder_blocks
from sukima.reporting.sections.plans import recipe_in_words
from sukima.reporting.text import Text

__all__ = ["search_blocks"]

_SHOWN = 10
"""Candidates in the table."""


def search_blocks(result: TuneResult) -> tuple[Block, ...]:
    """The steps of a ladder, or what any other strategy tried; then what the winner was chosen by."""
    finals = _finalists(result.finalists, result.search) if result.finalists is not None else ()
    if result.ladder or len(result.search) < 2:
        return (*ladder_blocks(result), *finals)
    charts = _charts(result)
    blocks: list[Block] = [_summary(result), *([Paragraph(result.remark)] if result.remark else [])]
    if charts:
        explanation = say(
            "Each dot is the best candidate with that rate, whatever its other rates; the shaded range cannot be told "
            "from the best."
        )
        blocks += [Paragraph(explanation, muted=True), Panels(charts, small=True)]
    blocks += _flat_notes(result)
    if result.importance:
        blocks.append(_importance(result))
    return (*blocks, Panels((candidates_chart(result.search, result.recipe),)), _table(result), *finals)


def _summary(result: TuneResult) -> Paragraph:
    tried = len(result.search) + result.given_up + result.failed
    words = say(
        "The strategy {strategy} tried {count} candidates: {whole} were trained to their end, {given_up} were given up "
        "on the way, {failed} failed.",
        strategy=result.strategy,
        count=count(tried),
        whole=count(len(result.search)),
        given_up=count(result.given_up),
        failed=count(result.failed),
    )
    return Paragraph(words)


def _measure(result: TuneResult) -> Text:
    metric = result.comparison.metric if result.comparison else str(result.setup.get("metric", ""))
    return say("{measure} on {data}", measure=measure_name(result.by, metric), data=say("validation data"))


def _value(arm: Arm, result: TuneResult) -> float:
    return fmean(trial.validation.by(result.by) for trial in arm.trials)


def _increases(result: TuneResult) -> bool:
    return result.by == "metric" and all(arm.trials[0].history.metric_increases for arm in result.search[:1])


def _charts(result: TuneResult) -> tuple[Chart, ...]:
    """For each site the best value at every rate that was tried there."""
    better = max if _increases(result) else min
    charts = []
    for site in result.sites[:MOST_PANELS]:
        best: dict[float, float] = {}
        for arm in result.search:
            rate, value = arm.recipe.rates.get(site.name), _value(arm, result)
            if rate is not None and abs(value) != float("inf"):
                best[rate] = better(best.get(rate, value), value)
        if len(best) < 2:
            continue
        rates = tuple(sorted(best))
        values = tuple(best[rate] for rate in rates)
        chosen = result.recipe.rates.get(site.name)
        marks = tuple(
            Point(rate, value, say("chosen: {rate}", rate=rate_text(rate)))
            for rate, value in zip(rates, values, strict=True)
            if rate == chosen
        )
        series = Series(_measure(result), "winner", rates, values, marks=marks)
        chart = Chart(
            say("Site {site}", site=site.name), say("rate"), _measure(result), (series,),
            (rates[0] - 0.05, rates[-1] + 0.2), flat=_flat(result, site.name), dots=True,
        )  # fmt: skip
        charts.append(chart)
    return tuple(charts)


def _flat(result: TuneResult, site: str) -> tuple[float, float] | None:
    return result.flat.get(f"rate {site}") or result.flat.get("rate")


def _flat_notes(result: TuneResult) -> list[Block]:
    return [
        Paragraph(
            say(
                "{title}: rates from {low} to {high} cannot be told apart on validation data.",
                title=name,
                low=rate_text(low),
                high=rate_text(high),
            )
        )
        for name, (low, high) in result.flat.items()
    ]


def _importance(result: TuneResult) -> Table:
    columns = (Column(say("what varies"), number=False), Column(say("share in what made candidates differ")))
    rows = [Row((name, f"{100 * share:.0f} %"), "other") for name, share in result.importance.items()]
    return Table(columns, tuple(rows), say("What matters"))


def _table(result: TuneResult) -> Table:
    ranked = sorted(result.search, key=lambda arm: _value(arm, result), reverse=_increases(result))
    columns = (
        Column(say("candidate"), number=False),
        Column(say("what it does"), number=False, wide=True),
        Column(_measure(result)),
    )
    rows = tuple(
        Row(
            (arm_name(arm.name), recipe_in_words(arm), number(_value(arm, result))),
            "winner" if arm.recipe == result.recipe else "other",
        )
        for arm in ranked[:_SHOWN]
    )
    return Table(columns, rows, say("The best candidates of the search"))


def _finalists(finalists: Comparison, search: Sequence[Arm]) -> tuple[Block, ...]:
    seeds = finalists.arms[0].seeds
    words = say(
        "The best few were trained again with {seeds} fresh seeds, since the best of many is partly luck. The winner "
        "is the one that gains most over the baseline here, if that gain exceeds its standard error.",
        seeds=len(seeds),
    )
    if {trial.seed for arm in search for trial in arm.trials}.intersection(seeds):
        words = say(
            "The best were trained again with one fresh seed, since the best of many is partly luck; time did not last "
            "for more, so their runs of the search count as well. The winner is the better one here; whether it is "
            "better than the baseline is what the final comparison tells."
        )
    columns = (
        Column(say("candidate"), number=False),
        Column(say("what it does"), number=False, wide=True),
        Column(say("gain over {arm}", arm=arm_name(finalists.arms[0].name))),
        Column(say("{level} % interval", level=f"{100 * _level(finalists):.3g}"), number=False),
    )
    rows = tuple(
        Row(
            (
                arm_name(arm.name),
                recipe_in_words(arm),
                signed(finalists.differences[arm.name].mean),
                interval(finalists.differences[arm.name]),
            ),
            "other",
        )
        for arm in finalists.arms[1:]
    )
    return Paragraph(words, muted=True), Table(columns, rows, say("The finalists, on validation data"))


def _level(finalists: Comparison) -> float:
    return next(iter(finalists.differences.values())).level
