"""The answer first: does it help, and did the network overfit to begin with?"""

from __future__ import annotations

import math

from sukima.base.messages import Message, say
from sukima.records.result import Arm, Comparison, Difference, TuneResult
from sukima.records.verdict import Conclusion, Verdict
from sukima.reporting.blocks import Block, Fact, Facts, Headline, List, Paragraph, Tone
from sukima.reporting.numbers import count, duration, interval, number, signed
from sukima.reporting.sections.arms import arm_name, data_name, gap, mean, measure_name, scores
from sukima.reporting.text import Text

__all__ = ["better_still", "comparison_headline", "key_facts", "tune_headline", "verdict_blocks", "verdict_name"]


def tune_headline(result: TuneResult, winner: Arm | None) -> Headline:
    """Does the recipe that was found help?"""
    question = say("Does regularization help this model?")
    comparison = result.comparison
    if comparison is None:
        detail = say(
            "The search ended before the final comparison; what follows rests on validation data, "
            "by which the recipe was chosen, and promises nothing for new data."
        )
        return Headline("neutral", question, say("Not known yet"), detail)
    if winner is None or winner.name not in comparison.differences:
        detail = say(
            "No recipe that was tried beat the model without regularization on validation data by more than noise; "
            "keep the model as it is."
        )
        return Headline("neutral", question, say("No difference"), detail)
    return _arm_headline(comparison, winner, question)


def comparison_headline(comparison: Comparison, best: Arm | None) -> Headline:
    """Is any arm better than the baseline? ``best``: the one that is, most of all, if any is beyond doubt."""
    baseline = arm_name(comparison.baseline.name)
    if not comparison.differences:
        question = say("Is any recipe better than {baseline}?", baseline=baseline)
        return Headline("neutral", question, say("Not known yet"), say("No run was finished."))
    if len(comparison.arms) == 2:
        arm = comparison.arms[1]
        return _arm_headline(
            comparison, arm, say("Is {arm} better than {baseline}?", arm=arm_name(arm.name), baseline=baseline)
        )
    question = say("Is any recipe better than {baseline}?", baseline=baseline)
    count = len(comparison.differences)
    if best is None:
        detail = say(
            "None of the {count} recipes is better than {baseline} beyond doubt: every interval includes zero "
            "or lies below it.",
            count=count,
            baseline=baseline,
        )
        return Headline("neutral", question, say("No difference"), detail)
    detail = say(
        "{sentence} Of {count} recipes, {better} are better beyond doubt.",
        sentence=_sentence(comparison, best, comparison.differences[best.name]),
        count=count,
        better=sum(found.outcome == "better" for found in comparison.differences.values()),
    )
    return Headline("good", question, say("Yes: {arm}", arm=arm_name(best.name)), detail)


def _arm_headline(comparison: Comparison, arm: Arm, question: Text) -> Headline:
    difference = comparison.differences[arm.name]
    tones: dict[str, tuple[Tone, Message]] = {
        "better": ("good", say("Yes, it helps")),
        "worse": ("bad", say("No, it does harm")),
        "no difference": ("neutral", say("No difference")),
    }
    tone, answer = tones[difference.outcome]
    return Headline(tone, question, answer, _sentence(comparison, arm, difference))


def _sentence(comparison: Comparison, arm: Arm, difference: Difference) -> Message:
    values = {
        "measure": measure_name(comparison.by, comparison.metric),
        "data": data_name(comparison.data),
        "before": number(_mean_score(comparison, comparison.baseline)),
        "after": number(_mean_score(comparison, arm)),
        "gain": signed(difference.mean),
        "level": f"{100 * difference.level:.4g}",
        "interval": interval(difference),
        "seeds": len(difference.gains),
    }
    if not math.isfinite(difference.mean):
        return Message(
            "Some runs diverged, so that no gain in {measure} on {data} can be given ({seeds} paired seeds). Look at "
            "the curves.",
            values,
        )
    if not (math.isfinite(difference.low) and math.isfinite(difference.high)):
        return Message(
            "On {data} the {measure} goes from {before} to {after}, but {seeds} paired seeds give no interval: "
            "this may be chance.",
            values,
        )
    if difference.outcome == "no difference":
        return Message(
            "On {data} the {measure} goes from {before} to {after}; the gain of {gain} has a {level} % interval of "
            "{interval} ({seeds} paired seeds), which includes zero. These data do not show a difference.",
            values,
        )
    return Message(
        "On {data} the {measure} goes from {before} to {after}: a gain of {gain}, {level} % interval {interval}, "
        "{seeds} paired seeds.",
        values,
    )


def _mean_score(comparison: Comparison, arm: Arm) -> float | None:
    found = scores(arm, comparison.data)
    return mean([score.loss if comparison.by == "loss" else score.metric for score in found])


def better_still(comparison: Comparison, winner: Arm) -> Paragraph | None:
    """An honest word where another arm does better here than the one that the search chose."""
    mine = comparison.differences[winner.name].mean
    others = {name: d.mean for name, d in comparison.differences.items() if name != winner.name and d.mean > mine}
    if not others:
        return None
    name = max(others, key=lambda other: others[other])
    text = say(
        "Here {other} gains more ({gain}) than the recipe that the search chose on validation data. To choose by these "
        "figures would be to choose by test data; decide between the two with fresh data.",
        other=arm_name(name),
        gain=signed(others[name]),
    )
    return Paragraph(text, muted=True)


def key_facts(result: TuneResult, winner: Arm | None) -> Facts:
    """The few figures that matter, as tiles: what is compared before and after, the gap, the cost."""
    facts = []
    if result.comparison is not None:
        facts += _before_and_after(result.comparison, winner)
    cost = say("{trials} runs, {epochs} epochs", trials=count(result.cost.trials), epochs=count(result.cost.epochs))
    facts.append(Fact(say("time"), duration(result.cost.seconds), cost))
    return Facts(tuple(facts), large=True)


def _before_and_after(comparison: Comparison, winner: Arm | None) -> list[Fact]:
    arms = [comparison.baseline, *([winner] if winner is not None else [])]

    def fact(label: Text, values: list[float | None], note: Text) -> Fact:
        return Fact(label, " → ".join(number(value) for value in values), note)

    data = data_name(comparison.data)
    note: Text = say("without → with the recipe") if winner is not None else say("without regularization")
    loss = [mean([score.loss for score in scores(arm, comparison.data)]) for arm in arms]
    metric = [mean([score.metric for score in scores(arm, comparison.data)]) for arm in arms]
    gaps = [mean([gap(trial) for trial in arm.trials]) for arm in arms]
    facts = [fact(say("{measure} on {data}", measure=say("loss"), data=data), loss, note)]
    if any(value is not None for value in metric):
        name = measure_name("metric", comparison.metric)
        facts.append(fact(say("{measure} on {data}", measure=name, data=data), metric, note))
    facts.append(fact(say("gap"), gaps, say("validation loss minus training loss")))
    return facts


def verdict_name(conclusion: Conclusion) -> Message:
    """The conclusion in the reader's words."""
    names: dict[Conclusion, Message] = {
        "overfitting": say("Overfitting"),
        "underfitting": say("Underfitting"),
        "healthy": say("Healthy"),
        "unfinished": say("Not finished"),
        "diverged": say("Diverged"),
        "mismatched": say("Mismatched data"),
        "unclear": say("Unclear"),
    }
    return names[conclusion]


def verdict_blocks(verdict: Verdict, question: Text) -> tuple[Block, ...]:
    """A verdict with its evidence and advice."""
    tones: dict[Conclusion, Tone] = {"healthy": "good", "overfitting": "bad", "diverged": "bad", "unclear": "neutral"}
    answer: Message = verdict_name(verdict.verdict)
    if verdict.onset_epoch is not None:
        answer = say("{verdict} from epoch {epoch}", verdict=answer, epoch=verdict.onset_epoch)
    confidence = say("confidence {percent} %", percent=f"{100 * verdict.confidence:.0f}")
    if verdict.gap is not None:
        confidence = say("gap {gap}, {confidence}", gap=signed(verdict.gap), confidence=confidence)
    blocks: list[Block] = [Headline(tones.get(verdict.verdict, "warning"), question, answer, confidence)]
    if verdict.evidence:
        blocks.append(List(say("Evidence"), verdict.evidence))
    if verdict.advice:
        blocks.append(List(say("What to do"), verdict.advice))
    return tuple(blocks)
