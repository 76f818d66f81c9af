"""The ladder: validation loss against rate, first one rate for all sites, then site by site."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean, stdev

from sukima.base.messages import say
from sukima.records.pairing import gain_and_noise, paired_gains
from sukima.records.recipe import ALL_SITES
from sukima.records.result import Rung, TuneResult
from sukima.reporting.blocks import Block, Chart, Column, Panels, Paragraph, Point, Row, Series, Table
from sukima.reporting.numbers import number, rate_text, signed
from sukima.reporting.sections.arms import measure_name
from sukima.reporting.sections.curves import candidates_chart
from sukima.reporting.text import Text

__all__ = ["influences", "ladder_blocks"]

MOST_PANELS = 12


def ladder_blocks(result: TuneResult) -> tuple[Block, ...]:
    """Charts of what was tried at each site, and the steps as a table."""
    candidates = Panels((candidates_chart(result.search, result.recipe),)) if len(result.search) > 3 else None
    if not result.ladder:
        return (candidates,) if candidates else (Paragraph(say("No rates were searched.")),)
    metric = result.comparison.metric if result.comparison else str(result.setup.get("metric", ""))
    measure = say("{measure} on {data}", measure=measure_name(result.by, metric), data=say("validation data"))
    grouped = _by_site(result.ladder)
    shown = sorted(grouped, key=lambda site: (site != ALL_SITES, -_reach(grouped[site])))[:MOST_PANELS]
    drawn = [rung for site in shown for rung in grouped[site]]
    ranges = (-0.03, max(rung.rate for rung in drawn) + 0.03), _range(drawn)
    increases = result.by == "metric" and bool(result.comparison and result.comparison.metric_increases)
    charts = [
        replace(_chart(site, rungs, measure, *ranges), flat=flat_range(rungs, increases=increases))
        for site, rungs in grouped.items()
        if site in shown
    ]
    explanation = say(
        "The search starts low and raises the rate while the validation score improves by more than its noise: "
        "first one rate for all sites, then each site by itself. Dots are single seeds, bars one standard deviation."
    )
    blocks: list[Block] = [Paragraph(explanation, muted=True)]
    if len(shown) < len(grouped):
        few = say("Of {all} sites, the {shown} that matter most are drawn.", all=len(grouped), shown=len(shown))
        blocks.append(Paragraph(few, muted=True))
    blocks += [Panels(tuple(charts), small=True), *_flat_note(charts), *([candidates] if candidates else [])]
    return (*blocks, _table(result, measure))


def _flat_note(charts: Sequence[Chart]) -> list[Block]:
    """In words, where a range of rates is as good as the best."""
    return [
        Paragraph(
            say(
                "{title}: rates from {low} to {high} cannot be told apart on validation data.",
                title=chart.title,
                low=rate_text(chart.flat[0]),
                high=rate_text(chart.flat[1]),
            )
        )
        for chart in charts
        if chart.flat is not None
    ]


def flat_range(rungs: Sequence[Rung], *, increases: bool) -> tuple[float, float] | None:
    """The rates next to the best one whose scores differ from its by no more than noise, seed by seed."""
    measured = sorted((rung for rung in rungs if _mean(rung) is not None), key=lambda rung: rung.rate)
    if len(measured) < 2:
        return None
    best = (max if increases else min)(measured, key=lambda rung: _mean(rung) or 0.0)

    def alike(rung: Rung) -> bool:
        if rung is best:
            return True
        if len(rung.values) != len(best.values) or len(best.values) < 2:
            return False
        gain, noise = gain_and_noise(paired_gains(rung.values, best.values, increases=increases))
        return gain <= noise

    middle = next(index for index, rung in enumerate(measured) if rung is best)
    low = high = middle
    while low > 0 and alike(measured[low - 1]):
        low -= 1
    while high + 1 < len(measured) and alike(measured[high + 1]):
        high += 1
    return (measured[low].rate, measured[high].rate) if low < high else None


def _by_site(ladder: Sequence[Rung]) -> dict[str, list[Rung]]:
    """The rungs of each site, after the one it started from: the best recipe before it, seen from that site."""
    grouped: dict[str, list[Rung]] = {}
    best: Rung | None = None
    for rung in ladder:
        if rung.site not in grouped:
            start = best.recipe.rates.get(rung.site) if best else None
            grouped[rung.site] = [replace(best, site=rung.site, rate=start)] if best and start is not None else []
        grouped[rung.site].append(rung)
        best = rung if rung.accepted else best
    return grouped


def influences(ladder: Sequence[Rung]) -> dict[str, float]:
    """Site → how far the mean validation score moved while its rate was searched."""
    return {site: _reach(rungs) for site, rungs in _by_site(ladder).items() if site != ALL_SITES}


def _reach(rungs: Sequence[Rung]) -> float:
    """How much the site's rate matters: the range of its mean scores."""
    means = [value for value in map(_mean, rungs) if value is not None]
    return max(means) - min(means) if means else 0.0


def _mean(rung: Rung) -> float | None:
    finite = [value for value in rung.values if math.isfinite(value)]
    return fmean(finite) if finite else None


def _range(rungs: Sequence[Rung]) -> tuple[float, float] | None:
    values = [value for rung in rungs for value in rung.values if math.isfinite(value)]
    if not values:
        return None
    room = (max(values) - min(values)) * 0.1 or abs(max(values)) * 0.1 or 1.0
    return min(values) - room, max(values) + room


def _chart(
    site: str, rungs: Sequence[Rung], measure: Text, x_range: tuple[float, float], y_range: tuple[float, float] | None
) -> Chart:
    drawn = sorted((rung for rung in rungs if _mean(rung) is not None), key=lambda rung: rung.rate)
    means = tuple(_mean(rung) or 0.0 for rung in drawn)
    accepted = [rung for rung in rungs if rung.accepted]
    chosen = accepted[-1] if accepted else None
    marks = tuple(
        Point(rung.rate, mean, say("chosen: {rate}", rate=rate_text(rung.rate)))
        for rung, mean in zip(drawn, means, strict=True)
        if rung is chosen
    )
    seeds = max((len(rung.values) for rung in drawn), default=0)
    runs = tuple(tuple(r.values[k] if k < len(r.values) else math.nan for r in drawn) for k in range(seeds))
    spread = tuple(_spread(rung, mean) for rung, mean in zip(drawn, means, strict=True))
    title = say("All sites together") if site == ALL_SITES else say("Site {site}", site=site)
    x = tuple(rung.rate for rung in drawn)
    series = Series(measure, "winner", x, means, runs=runs, spread=spread, marks=marks)
    return Chart(title, say("rate"), measure, (series,), x_range, y_range, dots=True)


def _spread(rung: Rung, mean: float) -> tuple[float, float]:
    finite = [value for value in rung.values if math.isfinite(value)]
    half = stdev(finite) if len(finite) > 1 else 0.0
    return mean - half, mean + half


def _table(result: TuneResult, measure: Text) -> Table:
    columns = (
        Column(say("site"), number=False),
        Column(say("rate")),
        Column(measure),
        Column(say("gain over the best before")),
        Column(say("noise")),
        Column(say("taken"), number=False),
    )
    rows = tuple(
        Row(
            (
                say("all sites") if rung.site == ALL_SITES else rung.site,
                rate_text(rung.rate),
                number(_mean(rung)),
                signed(rung.gain) if index else "",
                f"± {number(rung.noise, 2)}" if index else "",
                say("yes") if rung.accepted else "",
            ),
            "winner" if rung.accepted else "other",
        )
        for index, rung in enumerate(result.ladder)
    )
    return Table(columns, rows, say("Every step of the search, in its order"))
