"""The result of a comparison in a paragraph, for a reader who knows nothing of intervals."""

from __future__ import annotations

from collections.abc import Sequence

from sukima.base.messages import Message, say
from sukima.records.result import Arm, Comparison, Outcome
from sukima.reporting.blocks import Paragraph
from sukima.reporting.numbers import number, signed
from sukima.reporting.sections.arms import arm_name, data_name, mean, measure_name, scores
from sukima.reporting.sections.effects import marked
from sukima.reporting.text import Text

__all__ = ["in_words", "listed"]


def in_words(comparison: Comparison, best: Arm | None) -> Paragraph | None:
    """What was done, what helped, what did harm and what made no difference; ``None`` for fewer than three arms."""
    if len(comparison.arms) < 3 or not comparison.differences:
        return None
    sentences: list[Text] = [_what_was_done(comparison)]
    if better := _with_outcome(comparison, "better"):
        sentences.append(say("Better beyond doubt: {arms}.", arms=listed([_gain(comparison, arm) for arm in better])))
    if worse := _with_outcome(comparison, "worse"):
        sentences.append(say("Worse beyond doubt: {arms}.", arms=listed([_gain(comparison, arm) for arm in worse])))
    if same := _with_outcome(comparison, "no difference"):
        names = listed([arm_name(arm.name) for arm in same])
        if better or worse:
            sentences.append(say("For the others no difference can be shown: {arms}.", arms=names))
        else:
            sentences.append(say("No difference can be shown for any of them: {arms}.", arms=names))
    if best is not None and (more := _besides(comparison, best)) is not None:
        sentences.append(more)
    return Paragraph(_joined(sentences))


def listed(names: Sequence[Text]) -> Text:
    """Several names in a row, as the reader's language joins them."""
    joined = names[0]
    for name in names[1:]:
        joined = say("{before}, {next}", before=joined, next=name)
    return joined


def _joined(sentences: Sequence[Text]) -> Text:
    text = sentences[0]
    for sentence in sentences[1:]:
        text = say("{before} {next}", before=text, next=sentence)
    return text


def _what_was_done(comparison: Comparison) -> Message:
    return say(
        "{count} recipes were tried, each with {seeds} training runs from the same random beginnings. With {baseline} "
        "the {measure} on {data} is {value}.",
        count=len(comparison.arms),
        seeds=len(comparison.baseline.trials),
        baseline=arm_name(comparison.baseline.name),
        measure=measure_name(comparison.by, comparison.metric),
        data=data_name(comparison.data),
        value=number(_score(comparison, comparison.baseline)),
    )


def _score(comparison: Comparison, arm: Arm) -> float | None:
    return mean([score.by(comparison.by) for score in scores(arm, comparison.data)])


def _with_outcome(comparison: Comparison, outcome: Outcome) -> list[Arm]:
    """The arms with that outcome, those that differ most first."""
    known = comparison.differences
    found = [arm for arm in comparison.arms[1:] if arm.name in known and known[arm.name].outcome == outcome]
    return sorted(found, key=lambda arm: -abs(known[arm.name].mean))


def _gain(comparison: Comparison, arm: Arm) -> Message:
    """The arm with its gain: of a loss in percent, of a metric as it is."""
    gain, before = comparison.differences[arm.name].mean, _score(comparison, comparison.baseline)
    percent = 100 * gain / before if before and comparison.by == "loss" else None
    if percent is None or not -1000 < percent < 1000:
        return say("{arm} ({gain})", arm=arm_name(arm.name), gain=signed(gain))
    if percent > 0:
        return say("{arm} ({percent} % less loss)", arm=arm_name(arm.name), percent=f"{percent:.0f}")
    return say("{arm} ({percent} % more loss)", arm=arm_name(arm.name), percent=f"{-percent:.0f}")


def _besides(comparison: Comparison, arm: Arm) -> Message | None:
    """What else the best arm does, beyond doubt."""
    good = {
        "gap": say("training and new data lie closer together"),
        "noisy_loss": say("it bears noise on its inputs better"),
        "calibration": say("its stated confidence is more honest"),
        "co_adaptation": say("its units depend less on each other"),
        "epochs": say("it gets there in fewer epochs"),
    }
    bad = {
        "gap": say("training and new data lie further apart"),
        "noisy_loss": say("it bears noise on its inputs worse"),
        "calibration": say("its stated confidence is less honest"),
        "epochs": say("it needs more epochs"),
    }
    seen = {name: marked(comparison, name, arm.name) for name in comparison.effects}
    gains: list[Text] = [text for name, text in good.items() if seen.get(name) == "▲"]
    losses: list[Text] = [text for name, text in bad.items() if seen.get(name) == "▼"]
    if not gains and not losses:
        return None
    name = arm_name(arm.name)
    if not losses:
        return say("Of {arm} this shows too: {effects}.", arm=name, effects=listed(gains))
    if not gains:
        return say("The price of {arm}: {effects}.", arm=name, effects=listed(losses))
    return say(
        "Of {arm} this shows too: {effects}; its price: {losses}.",
        arm=name,
        effects=listed(gains),
        losses=listed(losses),
    )
