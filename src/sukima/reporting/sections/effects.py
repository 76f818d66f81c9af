"""What the arms do besides the score that they are compared by: a table, and what the marks mean."""

from __future__ import annotations

import math
from statistics import fmean

from sukima.base.messages import say
from sukima.records.result import Arm, Comparison
from sukima.reporting.blocks import Block, Column, List, Paragraph, Row, Table
from sukima.reporting.numbers import duration, number
from sukima.reporting.sections.arms import arm_name, data_name, measure_name, role
from sukima.reporting.text import Text

__all__ = ["effect_blocks", "effect_name", "marked"]

BETTER, WORSE = "▲", "▼"
_NOT_TESTED = ("seconds", "sparsity", "masked")
"""Shown without a mark: time depends on what was trained side by side; the others are neither good nor bad."""


def effect_blocks(comparison: Comparison, winner: Arm | None) -> tuple[Block, ...]:
    """The table of effects, how to read it, and the arms that were left out."""
    blocks: list[Block] = []
    if comparison.effects:
        blocks += [_table(comparison, winner), _how_to_read(comparison)]
    if comparison.left_out:
        reasons = tuple(say("{arm}: {why}", arm=arm_name(name), why=why) for name, why in comparison.left_out.items())
        blocks.append(List(say("Left out"), reasons))
    return tuple(blocks)


def effect_name(name: str, metric: str = "") -> Text:
    """An effect as a table's heading."""
    names: dict[str, Text] = {
        "loss": say("loss"),
        "metric": measure_name("metric", metric),
        "gap": say("gap"),
        "noisy_loss": say("loss with noise"),
        "calibration": say("calibration error"),
        "brier": say("Brier score"),
        "co_adaptation": say("co-adaptation"),
        "sparsity": say("weights near zero"),
        "masked": say("masked mean"),
        "epochs": say("epochs"),
        "seconds": say("time"),
    }
    return names.get(name, name)


def marked(comparison: Comparison, effect: str, arm: str) -> str:
    """``▲`` or ``▼`` where the arm is better or worse than the baseline beyond doubt; nothing where it is neither."""
    found = comparison.effects[effect].differences.get(arm)
    if found is None or effect in _NOT_TESTED:
        return ""
    return {"better": BETTER, "worse": WORSE, "no difference": ""}[found.outcome]


def _table(comparison: Comparison, winner: Arm | None) -> Table:
    names = list(comparison.effects)
    columns = [Column(say("arm"), number=False)]
    columns += [Column(effect_name(name, comparison.metric), detail=k > 3) for k, name in enumerate(names)]
    rows = []
    for arm in comparison.arms:
        cells = [_cell(comparison, name, arm) for name in names]
        rows.append(Row((arm_name(arm.name), *cells), role(arm, comparison, winner)))
    return Table(tuple(columns), tuple(rows), say("Other effects, on {data}", data=data_name(comparison.data)))


def _cell(comparison: Comparison, effect: str, arm: Arm) -> Text:
    values = comparison.effects[effect].values.get(arm.name, ())
    reached = [value for value in values if math.isfinite(value)]
    if len(reached) < len(values):
        return say("{count} of {seeds}", count=len(reached), seeds=len(values))
    if not reached:
        return "–"
    mean = fmean(reached)
    if effect == "seconds":
        return duration(mean)
    text = f"{100 * mean:.0f} %" if effect == "sparsity" else f"{mean:.1f}" if effect == "epochs" else number(mean, 3)
    mark = marked(comparison, effect, arm.name)
    return f"{mark} {text}" if mark else text


def _how_to_read(comparison: Comparison) -> Paragraph:
    to_loss: Text = ""
    if comparison.given_loss is not None:
        to_loss = say(
            "Epochs and time are those until the validation loss was {loss} or less (“{of}” where not every run got "
            "there; the time is that of this comparison, where many networks were trained side by side).",
            loss=number(comparison.given_loss),
            of=say("{count} of {seeds}", count=4, seeds=5),
        )
    text = say(
        "▲ better, ▼ worse than {baseline} beyond doubt; no mark: no difference can be shown. Loss with noise: noise "
        "of half the inputs' standard deviation was added to them. Calibration error: how far the stated confidence is "
        "from the share of right answers. Co-adaptation: mean absolute correlation of hidden units. Weights near zero: "
        "below a hundredth of the largest in their layer. Masked mean: the loss of the mean of 50 masked passes, less "
        "that of one pass without masks. {to_loss}",
        baseline=arm_name(comparison.baseline.name),
        to_loss=to_loss,
    )
    return Paragraph(text, muted=True)
