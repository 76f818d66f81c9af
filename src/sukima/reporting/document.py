"""From records to a report: which sections it has, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sukima.base.messages import say
from sukima.diagnosis.curves import curves_of
from sukima.diagnosis.outlook import ahead
from sukima.records.finding import Finding
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.result import Arm, Comparison, TuneResult
from sukima.records.site import Site
from sukima.records.verdict import Verdict
from sukima.reporting.blocks import Block, Chart, Code, Document, Panels, Paragraph, Sample, Section, Series
from sukima.reporting.recipe_code import recipe_code
from sukima.reporting.sections.arms import arm_name, best_arm, drawn_arms, metric_name, winner_of
from sukima.reporting.sections.comparison import comparison_blocks
from sukima.reporting.sections.curves import gap_chart, loss_chart, metric_chart, validation_chart
from sukima.reporting.sections.effects import effect_blocks
from sukima.reporting.sections.findings import findings_headline, findings_network, findings_table
from sukima.reporting.sections.plans import beyond_recipe, plans_table
from sukima.reporting.sections.provenance import comparison_provenance, tune_provenance
from sukima.reporting.sections.search import search_blocks
from sukima.reporting.sections.sites import site_blocks
from sukima.reporting.sections.verdict import (
    better_still,
    comparison_headline,
    key_facts,
    tune_headline,
    verdict_blocks,
)
from sukima.reporting.sections.words import in_words, listed
from sukima.reporting.text import Text

__all__ = ["audit_document", "comparison_document", "diagnosis_document", "tune_document"]


def tune_document(result: TuneResult) -> Document:
    """The report on a search."""
    comparison = result.comparison
    winner = winner_of(comparison, result.recipe) if comparison else None
    answer: list[Block] = [tune_headline(result, winner), key_facts(result, winner)]
    if comparison and winner and (word := better_still(comparison, winner)):
        answer.append(word)
    sections = [Section("verdict", say("Verdict"), tuple(answer))]
    if result.baseline is not None:
        question = say("Does the model overfit without it?")
        sections.append(Section("baseline", say("The baseline"), verdict_blocks(result.baseline, question)))
    sections.append(Section("curves", say("Loss curves"), _tune_curves(result, winner), brief=False))
    if comparison is not None:
        sections.append(Section("comparison", say("Comparison"), comparison_blocks(comparison, winner)))
    sections += [
        Section("ladder", say("The search"), search_blocks(result), brief=False),
        Section("sites", say("Where it acts"), site_blocks(result)),
        Section("recipe", say("The recipe"), _recipe_blocks(result.recipe)),
        Section("origin", say("How this was obtained"), tune_provenance(result), brief=False),
    ]
    return Document(say("Tuning report"), result.task, tuple(sections))


def comparison_document(comparison: Comparison) -> Document:
    """The report on recipes side by side."""
    winner = best_arm(comparison)
    answer: list[Block] = [comparison_headline(comparison, winner)]
    if words := in_words(comparison, winner):
        answer.append(words)
    sections = [
        Section("verdict", say("Verdict"), tuple(answer)),
        Section("comparison", say("Comparison"), comparison_blocks(comparison, winner)),
    ]
    if effects := effect_blocks(comparison, winner):
        sections.append(Section("effects", say("What else changes"), effects))
    sections += [
        Section("arms", say("The arms"), (plans_table(comparison, winner),), brief=False),
        Section("curves", say("Loss curves"), _curves(comparison, winner, comparison.arms), brief=False),
    ]
    if winner is not None:
        blocks = _recipe_blocks(winner.recipe)
        if beyond := beyond_recipe(winner):
            more = say("The best arm differs in more than its recipe: {what}.", what=listed(beyond))
            blocks = (Paragraph(more), *blocks)
        sections.append(Section("recipe", say("The recipe"), blocks))
    sections.append(Section("origin", say("How this was obtained"), comparison_provenance(comparison), brief=False))
    return Document(say("Comparison report"), comparison.task, tuple(sections))


def diagnosis_document(judged: Sequence[tuple[Verdict, History]]) -> Document:
    """The report on histories: each verdict above its curves."""
    sections = []
    for index, (verdict, history) in enumerate(judged, 1):
        title: Text = verdict.source or say("Run {number}", number=index)
        blocks = (*verdict_blocks(verdict, say("What do the curves say?")), Panels(_charts(verdict, history)))
        note = _inference_note(history)
        sections.append(Section(f"run-{index}", title, (*blocks, note) if note else blocks))
    subject: Text = judged[0][0].source if len(judged) == 1 else say("{count} runs", count=len(judged))
    return Document(say("Diagnosis"), subject, tuple(sections))


def audit_document(findings: Sequence[Finding], model: str = "", sites: Sequence[Site] = ()) -> Document:
    """The report on an audit; with the model's sites, each finding also stands at its place in the network."""
    sections = [
        Section("verdict", say("Verdict"), (findings_headline(findings),)),
        Section("findings", say("Findings"), (findings_table(findings),)),
    ]
    if sites:
        sections.append(Section("sites", say("Where it acts"), (findings_network(model, sites, findings),)))
    return Document(say("Audit report"), model or say("Source files"), tuple(sections))


def _charts(verdict: Verdict, history: History) -> tuple[Chart, ...]:
    lines = _onset(verdict)
    charts = []
    if history.train_loss or history.validation_loss:
        chart = loss_chart(say("Loss"), [history], "winner")
        charts.append(replace(chart, lines=lines, series=(*chart.series, *_forecast(verdict, history))))
    if history.train_metric or history.validation_metric:
        chart = metric_chart(metric_name(history.metric), metric_name(history.metric), [history], "winner")
        charts.append(replace(chart, lines=lines))
    return tuple(charts)


def _forecast(verdict: Verdict, history: History) -> tuple[Series, ...]:
    """Where validation would go in twice the epochs more, where that is what the verdict rests on."""
    if verdict.verdict != "unfinished" or not history.train_loss:
        return ()
    found = ahead(curves_of(history), 8)
    at, spread = tuple(map(float, found.epochs)), tuple(zip(found.lows, found.highs, strict=True))
    return (Series(say("forecast, 95 % interval"), "guideline", at, found.levels, spread=spread),)


def _onset(verdict: Verdict | None) -> tuple[tuple[float, Text], ...]:
    """The line where overfitting begins, if it does."""
    if verdict is None or verdict.onset_epoch is None:
        return ()
    return ((float(verdict.onset_epoch), say("overfitting begins")),)


def _inference_note(history: History) -> Paragraph | None:
    if history.train_in_inference_mode:
        return None
    text = say(
        "The training curves may have been measured with dropout on (as Keras logs them), which makes training look "
        "worse than it is: compare them with validation only with care."
    )
    return Paragraph(text, muted=True)


def _tune_curves(result: TuneResult, winner: Arm | None) -> tuple[Block, ...]:
    if result.comparison is not None:
        return _curves(result.comparison, winner, [result.comparison.baseline, winner])
    return tuple(
        Panels((loss_chart(arm_name(arm.name), [t.history for t in arm.trials], "baseline", arm.trials),))
        for arm in result.search[:1]
        if arm.trials
    )


def _curves(comparison: Comparison, winner: Arm | None, alone: Sequence[Arm | None]) -> tuple[Block, ...]:
    """A chart for each of the arms in ``alone``, over the same axes, then all arms over each other."""
    everyone = [one for one in drawn_arms(comparison, winner) if one.arm.trials]
    if not everyone:
        return (Paragraph(say("No run was finished.")),)
    charts = [
        replace(
            loss_chart(one.name, [t.history for t in one.arm.trials], one.role, one.arm.trials, hue=one.hue),
            lines=_onset(comparison.verdicts.get(one.arm.name)),
        )
        for one in everyone
        if one.arm in alone
    ]
    ranges = [chart.y_range for chart in charts if chart.y_range]
    shared = (min(low for low, _ in ranges), max(high for _, high in ranges)) if ranges else None
    panels = tuple(replace(chart, y_range=shared) for chart in charts)
    note = say(
        "Training (dashed) and validation (solid) are both measured in inference mode, with dropout off. Faint lines "
        "are single seeds, strong lines their mean, dots the checkpoints that are judged; the shaded area is the gap."
    )
    return Panels(panels, note, small=len(panels) > 4), Panels((validation_chart(everyone), gap_chart(everyone)))


def _recipe_blocks(recipe: Recipe) -> tuple[Block, ...]:
    samples = (
        Sample("PyTorch", recipe_code(recipe, "torch"), brief=True),
        Sample("Keras", recipe_code(recipe, "keras")),
        Sample("TOML", recipe_code(recipe, "toml")),
    )
    return (Code(samples),)
