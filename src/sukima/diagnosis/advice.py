"""What to do next, in doses: it depends on the verdict, on what is known of the model, and on the amount of data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

from sukima.base.messages import Message, say
from sukima.diagnosis.curves import Curves
from sukima.diagnosis.dose import less, more, steps_between
from sukima.diagnosis.known import Known
from sukima.diagnosis.outlook import outlook, pooled_forecast
from sukima.diagnosis.signals.disagreement import accuracy_lost
from sukima.diagnosis.signals.gap import end_level
from sukima.diagnosis.signals.onset import turn_of
from sukima.diagnosis.signals.validation_size import binomial_interval, rows_behind
from sukima.diagnosis.signals.windows import best_epoch_of
from sukima.records.recipe import ALL_SITES, Recipe
from sukima.records.verdict import Conclusion

__all__ = ["Advice", "advise", "confident_errors"]

FEW_ROWS = 500
"""With so few rows dropout was seen to gain nothing (Srivastava et al. 2014, figure 10, at 100 and 500 examples)."""
WORTH = 0.03
"""Share of the loss that three times the epochs must promise before they are spoken of."""
WIDE_INTERVAL = 0.05
"""Half width of the accuracy's interval above which the validation set is too small to choose by."""


@dataclass
class Advice:
    """What to do, in the order of what helps most, and the recipe that says the same."""

    messages: list[Message] = field(default_factory=list)
    recipe: Recipe | None = None


def advise(verdict: Conclusion, runs: Sequence[Curves], known: Known) -> Advice:
    """Advice for a verdict on these runs."""
    advice = Advice()
    if verdict == "overfitting":
        _against_overfitting(advice, runs, known)
    elif verdict == "underfitting":
        _against_underfitting(advice, known)
    elif verdict == "unfinished":
        _go_on(advice, runs, known)
    elif verdict == "healthy":
        _leave(advice, runs, known)
    elif verdict == "diverged":
        advice.messages += [
            say("lower the learning rate to a tenth, or clip the gradients"),
            say("check that the inputs are scaled and that no label or input is NaN"),
        ]
        advice.recipe = known.recipe
    elif verdict == "mismatched":
        advice.messages += [
            say("measure both losses in the same way: mean over rows, in inference mode"),
            say("check the split: the same rows, or rows of the same source, must not be on both sides"),
        ]
    else:
        advice.messages.append(say("train longer, or several seeds and judge them together: noise covers what happens"))
    _validation_set(advice, runs)
    return advice


def confident_errors(runs: Sequence[Curves]) -> bool:
    """Whether the validation loss rose while the accuracy held: surer errors, not more of them."""
    seen = []
    for run in runs:
        turn = turn_of(run.validation)
        if run.is_loss and len(run.validation_share) > 4 and turn.sigmas > 2:
            lost, noise = accuracy_lost(run.validation_share, turn.index)
            seen.append(lost < max(noise, 0.005))
    return len(seen) == len(runs) and all(seen)


def _against_overfitting(advice: Advice, runs: Sequence[Curves], known: Known) -> None:
    turns = [turn_of(run.validation) for run in runs]
    best = best_epoch_of(runs)
    epochs = round(fmean(run.epochs for run in runs))
    rise = fmean(turn.rise / max(abs(turn.best), 1e-9) for turn in turns)
    grown = [end_level(run.validation) - end_level(run.train) for run in runs]
    strongly = rise > 0.2 or fmean(grown) > fmean(abs(end_level(run.validation)) for run in runs) / 2
    passed = best < 0.9 * epochs and rise > 0
    patience = max(3, round(0.15 * best)) if passed else None
    sure = confident_errors(runs)
    _causes(advice, known, best if passed else None, epochs)
    if passed:
        advice.messages.append(say("stop at epoch {epoch}, or keep the weights of that epoch", epoch=best))
    advice.recipe = more(known, strongly=strongly, patience=patience, confident_errors=sure)
    _say_rates(advice, known)
    if sure:
        advice.messages.append(
            say("the accuracy holds while the loss rises: too sure of itself; label smoothing 0.1 would help")
        )
    if known.rows is not None and known.rows <= FEW_ROWS:
        advice.messages.append(
            say(
                "more data or augmentation would help more than regularization: dropout gains little with {rows} rows",
                rows=known.rows,
            )
        )
    if known.rows is None and known.inputs is None and known.parameters is None:
        advice.messages.append(
            say(
                "more data, fewer features or a smaller model would help as well; with the task, or the numbers of "
                "rows and inputs, it can be said which"
            )
        )


def _causes(advice: Advice, known: Known, best: int | None, epochs: int) -> None:
    """Name the cause where the evidence allows."""
    if known.rows is not None and known.inputs is not None and known.inputs * 5 > known.rows:
        advice.messages.append(
            say(
                "cause: too many features, {inputs} for {rows} rows; keep fewer, or let an L1 penalty choose",
                inputs=known.inputs,
                rows=known.rows,
            )
        )
    if known.rows is not None and known.parameters is not None and known.parameters > 10 * known.rows:
        advice.messages.append(
            say(
                "cause: a model of {parameters} weights for {rows} rows can learn them by heart; try a smaller one",
                parameters=known.parameters,
                rows=known.rows,
            )
        )
    elif known.rows is not None and known.rows <= FEW_ROWS:
        advice.messages.append(say("cause: too little data, {rows} rows", rows=known.rows))
    if best is not None and best <= epochs / 2:
        advice.messages.append(say("cause: too many epochs, {epochs} where {best} were best", epochs=epochs, best=best))


def _against_underfitting(advice: Advice, known: Known) -> None:
    advice.recipe = less(known)
    _say_rates(advice, known)
    advice.messages += [
        say("a larger model (twice the width), or one made for such data"),
        say("a higher learning rate, if training is slow rather than stuck"),
    ]


def _go_on(advice: Advice, runs: Sequence[Curves], known: Known) -> None:
    epochs = 2 * round(fmean(run.epochs for run in runs))
    expected = pooled_forecast(runs, epochs)
    advice.messages.append(
        say(
            "go on: another {epochs} epochs would take {gain:.2g} off the validation loss ({low:.2g} to {high:.2g})",
            epochs=epochs,
            gain=expected.gain,
            low=expected.low,
            high=expected.high,
        )
    )
    if runs[0].is_loss and all(len(run.validation_share) for run in runs):
        advice.messages.append(outlook(runs, epochs))
    advice.recipe = known.recipe


def _leave(advice: Advice, runs: Sequence[Curves], known: Known) -> None:
    epochs = 2 * round(fmean(run.epochs for run in runs))
    expected = pooled_forecast(runs, epochs)
    level = fmean(abs(end_level(run.validation)) for run in runs)
    if runs[0].is_loss and expected.gain > WORTH * level:
        advice.messages.append(say("nothing is wrong; only longer training may still gain a little"))
        advice.messages.append(outlook(runs, epochs))
    else:
        advice.messages.append(say("leave it as it is; what is left to gain is within noise"))
    advice.recipe = known.recipe


def _say_rates(advice: Advice, known: Known) -> None:
    if advice.recipe is None:
        return
    for site, before, after in steps_between(known.rates(), advice.recipe.rates):
        raised = after > before
        if site == ALL_SITES and not before:
            advice.messages.append(say("dropout after the hidden layers, rate {after:g}", after=after))
        elif site == ALL_SITES and raised:
            advice.messages.append(say("raise the rates from {before:g} to {after:g}", before=before, after=after))
        elif site == ALL_SITES:
            advice.messages.append(say("lower the rates from {before:g} to {after:g}", before=before, after=after))
        elif raised:
            advice.messages.append(
                say("raise the rate at {site} from {before:g} to {after:g}", site=site, before=before, after=after)
            )
        else:
            advice.messages.append(
                say("lower the rate at {site} from {before:g} to {after:g}", site=site, before=before, after=after)
            )
    old = known.recipe.weight_decay if known.recipe else None
    if advice.recipe.weight_decay and advice.recipe.weight_decay != old:
        advice.messages.append(say("weight decay {decay:g}", decay=advice.recipe.weight_decay))


def _validation_set(advice: Advice, runs: Sequence[Curves]) -> None:
    shares = [run.validation_share for run in runs if len(run.validation_share)]
    rows = rows_behind(shares[0]) if shares else None
    if rows is None:
        return
    low, high = binomial_interval(float(shares[0][-1]), rows)
    if (high - low) / 2 > WIDE_INTERVAL:
        advice.messages.append(
            say(
                "the validation set has about {rows} rows: its {share:.1f} % are known to ± {half:.1f} points only",
                rows=rows,
                share=100 * float(shares[0][-1]),
                half=50 * (high - low),
            )
        )
