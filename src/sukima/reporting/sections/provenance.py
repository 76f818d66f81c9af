"""How the result was obtained: data, seeds, versions, time, cost."""

from __future__ import annotations

from collections.abc import Sequence

from sukima.base.messages import Message, say
from sukima.records.result import Arm, Comparison, Cost, TuneResult
from sukima.records.task import Setup
from sukima.reporting.blocks import Block, Fact, Facts, Paragraph
from sukima.reporting.numbers import count, duration
from sukima.reporting.sections.arms import data_name, measure_name
from sukima.reporting.text import Text

__all__ = ["comparison_provenance", "tune_provenance"]


def tune_provenance(result: TuneResult) -> tuple[Block, ...]:
    """What a reader needs to do it again."""
    comparison = result.comparison
    facts = [
        Fact(say("task"), result.task),
        Fact(say("model"), result.model),
        Fact(say("searched by"), _by(result.by, comparison.metric if comparison else "", "validation")),
        Fact(say("strategy"), result.strategy),
        Fact(say("seeds of the search"), _seeds(result.search)),
    ]
    if result.finalists is not None:
        facts.append(Fact(say("seeds of the finalists"), _seeds(result.finalists.arms)))
    if result.study:
        facts.append(Fact(say("study"), " · ".join(result.study)))
    if comparison is not None:
        facts += _comparison_facts(comparison)
    facts += _cost(result.cost)
    return _blocks(facts, result.setup, result.environment, result.complete)


def comparison_provenance(comparison: Comparison) -> tuple[Block, ...]:
    """What a reader needs to do it again."""
    facts = [Fact(say("task"), comparison.task), *_comparison_facts(comparison), *_cost(comparison.cost)]
    return _blocks(facts, comparison.setup, comparison.environment, comparison.complete)


def _comparison_facts(comparison: Comparison) -> list[Fact]:
    return [
        Fact(say("compared by"), _by(comparison.by, comparison.metric, comparison.data)),
        Fact(say("seeds of the comparison"), _seeds(comparison.arms)),
    ]


def _by(by: str, metric: str, data: str) -> Message:
    return say("{measure} on {data}", measure=measure_name(by, metric), data=data_name(data))


def _seeds(arms: Sequence[Arm]) -> Text:
    """Every seed; those in a row as a range."""
    spans: list[list[int]] = []
    for seed in sorted({seed for arm in arms for seed in arm.seeds}):
        if spans and spans[-1][1] == seed - 1:
            spans[-1][1] = seed
        else:
            spans.append([seed, seed])
    return ", ".join(f"{low}–{high}" if low < high else str(low) for low, high in spans) or "–"


def _cost(cost: Cost) -> list[Fact]:
    return [
        Fact(say("time"), duration(cost.seconds)),
        Fact(say("training runs"), count(cost.trials)),
        Fact(say("epochs in all"), count(cost.epochs)),
        *([Fact(say("as trainings of full length"), f"{cost.full_trainings:.1f}")] if cost.full_trainings else []),
    ]


def _setup(setup: Setup) -> list[Fact]:
    labels: dict[str, Message] = {
        "train_rows": say("training rows"),
        "validation_rows": say("validation rows"),
        "test_rows": say("test rows"),
        "loss": say("loss"),
        "metric": say("metric"),
        "optimizer": say("optimizer"),
        "learning_rate": say("learning rate"),
        "clip_norm": say("largest norm of the gradient"),
        "batch_size": say("batch size"),
        "epochs": say("epochs at most"),
        "patience": say("patience in epochs"),
        "device": say("device"),
    }
    return [Fact(labels.get(name, name), _value(value)) for name, value in setup.items()]


def _value(value: str | int | float) -> str:
    return count(value) if isinstance(value, int) else str(value)


def _blocks(facts: list[Fact], setup: Setup, environment: dict[str, str], complete: bool) -> tuple[Block, ...]:
    facts += _setup(setup)
    facts += [Fact(name, value) for name, value in environment.items()]
    blocks: list[Block] = [Facts(tuple(facts))]
    if not complete:
        blocks.insert(0, Paragraph(say("The run was interrupted; this is what was finished until then.")))
    return tuple(blocks)
