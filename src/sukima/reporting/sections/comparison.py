"""The arms side by side: intervals as a forest plot, and the figures in a table."""

from __future__ import annotations

from sukima.base.messages import Message, say
from sukima.records.result import Arm, Comparison, Outcome
from sukima.reporting.blocks import Block, Column, Forest, ForestRow, Paragraph, Row, Table
from sukima.reporting.numbers import interval, signed
from sukima.reporting.sections.arms import arm_name, data_name, drawn_arms, gap, mean_text, measure_name, role, scores
from sukima.reporting.sections.scores import scores_table
from sukima.reporting.sections.verdict import verdict_name
from sukima.reporting.text import Text

__all__ = ["comparison_blocks"]


def comparison_blocks(comparison: Comparison, winner: Arm | None) -> tuple[Block, ...]:
    """Forest plot and table."""
    blocks: list[Block] = []
    if not comparison.complete:
        blocks.append(Paragraph(say("The comparison was interrupted; it rests on the runs that were finished.")))
    if comparison.data == "validation":
        text = say(
            "The task has no test data, so these figures come from the validation data by which recipes and "
            "checkpoints were chosen, and are a little better than new data would be."
        )
        blocks.append(Paragraph(text))
    if comparison.differences:
        blocks.append(_forest(comparison, winner))
    blocks += [_table(comparison, winner), scores_table(comparison, winner)]
    explanation = say(
        "Each arm is judged at its own best validation checkpoint. Seeds are paired: the same initial weights and the "
        "same order of data in every arm. ± is the standard deviation over the seeds."
    )
    blocks.append(Paragraph(explanation, muted=True))
    if (level := _level(comparison)) != "95":
        together = say(
            "The intervals cover {level} % each, so that all of them ({count}) hold at once with 95 %: the more arms, "
            "the more often one would seem better by chance.",
            level=level,
            count=len(comparison.differences),
        )
        blocks.append(Paragraph(together, muted=True))
    return tuple(blocks)


def _forest(comparison: Comparison, winner: Arm | None) -> Forest:
    rows = [
        ForestRow(one.name, one.role, found.mean, found.low, found.high, found.gains, found.outcome, one.hue)
        for one in drawn_arms(comparison, winner)[1:]
        if (found := comparison.differences.get(one.arm.name)) is not None
    ]
    title = say(
        "Gain over {baseline}, {level} % interval",
        baseline=arm_name(comparison.baseline.name),
        level=_level(comparison),
    )
    label = say(
        "gain in {measure} on {data} (to the right is better)",
        measure=measure_name(comparison.by, comparison.metric),
        data=data_name(comparison.data),
    )
    return Forest(title, label, tuple(rows))


def _table(comparison: Comparison, winner: Arm | None) -> Table:
    metric = measure_name("metric", comparison.metric) if _has_metric(comparison) else None
    columns = [
        Column(say("arm"), number=False),
        Column(say("loss")),
        *([Column(metric)] if metric is not None else []),
        *([Column(say("gap"), detail=True)] if _shows_gap(comparison) else []),
        Column(say("gain"), detail=True),
        Column(say("{level} % interval", level=_level(comparison))),
        Column(say("outcome"), number=False),
        Column(say("state"), number=False, detail=True),
    ]
    rows = tuple(_row(comparison, arm, winner, metric is not None) for arm in comparison.arms)
    caption = say("The arms side by side, on {data}", data=data_name(comparison.data))
    return Table(tuple(columns), rows, caption)


def _level(comparison: Comparison) -> str:
    """The coverage of the intervals in percent (they are widened where many arms are compared)."""
    levels = [difference.level for difference in comparison.differences.values()]
    return f"{100 * max(levels, default=0.95):.4g}"


def _has_metric(comparison: Comparison) -> bool:
    return any(score.metric is not None for arm in comparison.arms for score in scores(arm, comparison.data))


def _shows_gap(comparison: Comparison) -> bool:
    """Whether the gap stands here; a comparison with effects has it among those."""
    return "gap" not in comparison.effects


def _row(comparison: Comparison, arm: Arm, winner: Arm | None, with_metric: bool) -> Row:
    found = scores(arm, comparison.data)
    difference = comparison.differences.get(arm.name) if arm is not comparison.baseline else None
    verdict = comparison.verdicts.get(arm.name)
    cells: list[Text] = [
        arm_name(arm.name),
        mean_text([score.loss for score in found]),
        *([mean_text([score.metric for score in found])] if with_metric else []),
        *([mean_text([gap(trial) for trial in arm.trials])] if _shows_gap(comparison) else []),
        signed(difference.mean) if difference else "",
        interval(difference) if difference else "",
        outcome_name(difference.outcome) if difference else "",
        verdict_name(verdict.verdict) if verdict else "",
    ]
    return Row(tuple(cells), role(arm, comparison, winner))


def outcome_name(outcome: Outcome) -> Message:
    """The outcome in the reader's words."""
    names: dict[Outcome, Message] = {
        "better": say("better"),
        "worse": say("worse"),
        "no difference": say("no difference"),
    }
    return names[outcome]
