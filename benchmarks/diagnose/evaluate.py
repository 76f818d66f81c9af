"""Figures of diagnose on histories that set none of its weights: ``python evaluate.py [RUNS.jsonl …]``."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import numpy as np
from baselines import patience, plain_rules, tolerant_rules
from histories import LONGER, SAMPLE, Example, examples
from truth import TRUTHS

from sukima.diagnosis import judge
from sukima.diagnosis.curves import curves_of
from sukima.diagnosis.forecast import forecast
from sukima.diagnosis.rules import judge_row

DRAWS = 1000


def diagnose(example: Example) -> tuple[str, int | None, float]:
    verdict = judge([example.history])
    return verdict.verdict, verdict.onset_epoch - 1 if verdict.onset_epoch else None, verdict.confidence


def balanced(said: np.ndarray, truth: np.ndarray) -> float:
    """Mean recall over the truths, among the histories that were answered."""
    spoken = said != "unclear"
    recalls = [np.mean(said[spoken & (truth == t)] == t) for t in TRUTHS if (spoken & (truth == t)).any()]
    return float(np.mean(recalls))


def onset_right(best: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Whether the stated best epoch lies within 2 epochs or 10 % of the true one."""
    return np.abs(best - true) <= np.maximum(2, 0.1 * true)


def interval(values: list[float]) -> str:
    low, high = np.quantile(values, [0.025, 0.975])
    return f"[{low:.3f}, {high:.3f}]"


def _forecasts(found: list[Example]) -> None:
    """How often the forecast's interval holds: the curves to E say where held-out loss goes until 3 E."""
    held, widths, off = [], [], []
    for example in found:
        curve, epochs = np.array(example.held_out), example.history.epochs
        if example.truth == "diverged" or len(curve) < 3 * epochs:
            continue
        width = max(1, epochs // 10)
        end = curve[epochs - width : epochs].mean()
        gain = end - curve[3 * epochs - width : 3 * epochs].mean()
        told = forecast(curves_of(example.history), 2 * epochs)
        held.append(told.low <= gain <= told.high)
        widths.append((told.high - told.low) / 2 / end)
        off.append(abs(told.gain - gain) / end)
    print(
        f"\nforecast of twice the epochs more: its 95 % interval holds for {np.mean(held):.3f} of {len(held)};"
        f" half width {np.median(widths):.1%} of the loss (median), off by {np.median(off):.1%} (median)"
    )


def _single_rows(found: list[Example]) -> None:
    """The threshold rules on the last row alone: how often what they say is so, every truth counting alike."""
    print("\nthe last row of accuracies alone, by the threshold rules")
    rows = [e for e in found if e.history.train_metric]
    truth = np.array([e.truth for e in rows])
    weight = np.array([1 / np.mean(truth == t) for t in truth])
    told = [judge_row(e.history.train_metric[-1], e.history.validation_metric[-1])[:2] for e in rows]
    for conclusion, stated in sorted(set(told)):
        chosen = np.array([one == (conclusion, stated) for one in told])
        if conclusion in TRUTHS:
            right = np.average(truth[chosen] == conclusion, weights=weight[chosen])
            print(f"{conclusion}: stated {stated:.2f} right {right:.2f} ({chosen.sum()})")


def _with_less(found: list[Example]) -> None:
    """The same histories where less is logged: no accuracies, or nothing else."""
    print("\nwhere the history holds less: balanced accuracy, abstention")
    rows = [e for e in found if e.history.train_metric]
    truth = np.array([e.truth for e in rows])
    for name, none in (
        ("no accuracies", {"train_metric": [], "validation_metric": [], "metric": ""}),
        ("accuracies alone", {"train_loss": [], "validation_loss": []}),
    ):
        said = np.array([judge([msgspec.structs.replace(e.history, **none)]).verdict for e in rows])
        print(f"{name:17s} {balanced(said, truth):.3f}  {np.mean(said == 'unclear'):.3f}")


def main(path: Path) -> None:
    found = [e for e in examples(path) if e.reported]
    truth = np.array([e.truth for e in found])
    groups = np.array([e.group for e in found])
    counts = ", ".join(f"{t} {np.sum(truth == t)}" for t in TRUTHS)
    print(f"{len(found)} histories of {len(set(groups))} groups: {counts}")
    ours = [diagnose(e) for e in found]
    answers = {"diagnose": [o[:2] for o in ours]}
    for rule in (plain_rules, tolerant_rules, patience):
        answers[rule.__name__] = [rule(e.history) for e in found]
    said = {name: np.array([a[0] for a in answer]) for name, answer in answers.items()}
    rng = np.random.default_rng(0)
    members = {g: np.flatnonzero(groups == g) for g in set(groups)}
    draws = [np.concatenate([members[g] for g in rng.choice(list(members), len(members))]) for _ in range(DRAWS)]
    print("\nbalanced accuracy where it speaks, abstention, recalls of", ", ".join(TRUTHS))
    for name, says in said.items():
        spoken = says != "unclear"
        recalls = " ".join(f"{np.mean(says[spoken & (truth == t)] == t):.2f}" for t in TRUTHS)
        spread = interval([balanced(says[d], truth[d]) for d in draws])
        print(f"{name:15s} {balanced(says, truth):.3f} {spread}  {1 - spoken.mean():.3f}  {recalls}")
    for name in list(said)[1:]:
        paired = [balanced(said["diagnose"][d], truth[d]) - balanced(said[name][d], truth[d]) for d in draws]
        print(f"diagnose better than {name} by {np.mean(paired):+.3f} {interval(paired)}")

    print("\nonset within 2 epochs or 10 %, of the overfitting histories")
    over = np.flatnonzero(truth == "overfitting")
    true = np.array([found[i].best_epoch for i in over])
    bare = np.array([int(np.argmin(found[i].history.validation_loss)) + 1 for i in over])
    for name, answer in answers.items():
        stated = np.array([answer[i][1] if answer[i][0] == "overfitting" and answer[i][1] else np.nan for i in over])
        told = ~np.isnan(stated)
        right = onset_right(stated[told], true[told])
        rest = onset_right(bare[told], true[told])
        print(
            f"{name:15s} {right.mean():.3f} of {told.sum()} that it calls so;"
            f" the bare minimum on the same: {rest.mean():.3f}; difference {(right.mean() - rest.mean()):+.3f}"
        )

    _forecasts(found)

    print("\nstated confidence against share that is right, every truth counting alike")
    sure = np.array([o[2] for o in ours])
    weight = np.array([1 / np.mean(truth == t) for t in truth])
    for low, high in ((0.4, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 0.97), (0.97, 1.01)):
        inside = (sure >= low) & (sure < high) & (said["diagnose"] != "unclear")
        if inside.sum() > 4:
            right = np.average(said["diagnose"][inside] == truth[inside], weights=weight[inside])
            stated = np.average(sure[inside], weights=weight[inside])
            print(f"{low:.2f} to {min(high, 1):.2f}: stated {stated:.3f} right {right:.3f} ({inside.sum()})")

    _single_rows(found)
    _with_less(found)


if __name__ == "__main__":
    for one in map(Path, sys.argv[1:]) if len(sys.argv) > 1 else (SAMPLE, LONGER):
        print(f"== {one.name}")
        main(one)
