"""What a column's name says: whose curve it is, and of what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

__all__ = ["Meaning", "Pairing", "meaning_of", "pair_up", "tells"]

Role = Literal["train", "validation", "test", ""]
Kind = Literal["loss", "accuracy", "score", "error", "step", "rate", "other"]

_ROLES: dict[str, Role] = {
    **dict.fromkeys(("train", "training", "trn", "tr", "fit", "learn", "訓練", "学習"), "train"),
    **dict.fromkeys(
        ("val", "valid", "validation", "validate", "dev", "eval", "evaluation", "検証", "評価"), "validation"
    ),
    **dict.fromkeys(("test", "testing", "holdout", "テスト"), "test"),
}
_VAGUE = ("eval", "evaluation", "fit", "評価")
"""Words that say where a number was computed; another role beside them says on what: ``eval/train/loss``."""

_LOSSES = (
    *("loss", "losses", "cost", "objective", "nll", "xent", "crossentropy", "perplexity", "ppl", "logloss", "bce"),
    *("損失", "誤差", "コスト"),
)
_ERRORS = ("error", "err", "mse", "rmse", "mae", "mape", "msle", "wer", "cer", "deviance", "fid")
_ACCURACIES = ("accuracy", "acc", "正解率", "精度")
_SCORES = ("f1", "auc", "r2", "precision", "recall", "score", "iou", "dice", "map", "bleu", "rouge", "mcc", "kappa")
_NAMES: dict[Kind, tuple[str, ...]] = {"loss": _LOSSES, "accuracy": _ACCURACIES, "score": _SCORES, "error": _ERRORS}
_STEPS = ("epoch", "epochs", "step", "steps", "iteration", "iterations", "iter", "エポック", "世代")
_RATES = ("lr", "learningrate", "学習率")
_TRAILING = {"step", "epoch", "mean", "avg", "average", "value", "per", "the"}
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\da-zA-Z_]+")
_JAPANESE = re.compile("学習率|訓練|学習|検証|評価|テスト|損失|誤差|コスト|正解率|精度|エポック|世代")


class Meaning(NamedTuple):
    """A column's role, the quantity in it (lower case, roles removed) and its kind."""

    role: Role
    quantity: str
    kind: Kind


class Pairing(NamedTuple):
    """The columns that hold training and validation of one quantity."""

    train: str
    validation: str
    quantity: str
    kind: Kind


def words_of(name: str) -> list[str]:
    """The words of a name: ``valLoss``, ``val/loss``, ``Val Loss`` and ``検証損失`` all split."""
    words: list[str] = []
    for word in _WORDS.findall(name[:200]):
        japanese = _JAPANESE.findall(word)
        words += japanese or [word.lower()]
    joined = " ".join(words).replace("cross entropy", "crossentropy").replace("log loss", "logloss")
    joined = joined.replace("learning rate", "learningrate")
    return joined.replace("f 1", "f1").replace("r 2", "r2").split()


def meaning_of(name: str) -> Meaning:
    """What a name says; the role is empty where it names none, as in ``loss``."""
    words = words_of(name.split("/dataloader_idx_")[0])
    if words and all(w in _STEPS or w in ("global", "trainer", "current", "number", "num") for w in words):
        return Meaning("", " ".join(words), "step")
    roles: list[Role] = [_ROLES[w] for w in words if w in _ROLES]
    if any(w in _ROLES and w not in _VAGUE for w in words):
        roles = [_ROLES[w] for w in words if w in _ROLES and w not in _VAGUE]
    if any(w in _RATES for w in words):
        return Meaning("", "learning rate", "rate")
    role: Role = roles[-1] if roles else ""
    # A number behind a role counts sets of data (``valid_1``); the first that has a curve is taken.
    rest = [
        w
        for w, before in zip(words, ["", *words], strict=False)
        if w not in _ROLES and not (w.isdigit() and before in _ROLES)
    ]
    while len(rest) > 1 and rest[-1] in _TRAILING:
        rest.pop()
    return Meaning(role, " ".join(rest), _kind(rest))


def _kind(words: list[str]) -> Kind:
    return next((kind for kind, names in _NAMES.items() if any(w in names for w in words)), "other")


def pair_up(names: Iterable[str]) -> list[Pairing]:
    """Columns that belong together, losses first, then accuracies; each quantity once, in the order of the file."""
    found: dict[str, dict[Role, str]] = {}
    for name in names:
        meaning = meaning_of(name)
        if meaning.kind not in ("step", "rate"):
            roles = found.setdefault(meaning.quantity, {})
            # A name that ends in ``_epoch`` is the mean over it; ``_step`` is one batch.
            if meaning.role not in roles or words_of(name)[-1:] == ["epoch"]:
                roles[meaning.role] = name
    pairs = []
    for quantity, roles in found.items():
        train = roles.get("train") or roles.get("")
        validation = roles.get("validation") or roles.get("test")
        if train and validation:
            pairs.append(Pairing(train, validation, quantity, _kind(quantity.split())))
    if not any(pair.kind == "loss" for pair in pairs):
        pairs += _only_losses(found)
    order = (*_NAMES, "other")
    return sorted(pairs, key=lambda pair: (order.index(pair.kind), pair.quantity != "loss"))


def tells(names: Iterable[str]) -> bool:
    """Whether the names say which are curves of training and of validation."""
    return any(pair.kind != "other" for pair in pair_up(names))


def _only_losses(found: Mapping[str, Mapping[Role, str]]) -> list[Pairing]:
    """The one training and the one validation loss, though called otherwise: ``total_loss``, ``val_loss``."""
    losses = [roles for quantity, roles in found.items() if "loss" in quantity.split()]
    train = [roles.get("train") or roles[""] for roles in losses if {"train", ""} & roles.keys()]
    validation = [roles.get("validation") or roles["test"] for roles in losses if {"validation", "test"} & roles.keys()]
    if len(train) != 1 or len(validation) != 1:
        return []
    return [Pairing(train[0], validation[0], "loss", "loss")]
