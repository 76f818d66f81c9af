"""Noise and mixup: the formulas, and that nothing else of a run changes."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from sukima.base.errors import InputError
from sukima.engines.local import LocalEngine
from sukima.engines.progress import Silent
from sukima.engines.torch.augment import Augmentation
from sukima.engines.torch.fit import fit
from sukima.records.recipe import Recipe
from sukima.records.task import Task


class Seen(nn.Module):
    """Keeps what goes in, and gives logits that depend on it."""

    def forward(self, x: Tensor) -> Tensor:
        self.inputs = x
        return x[:, :3]


X, Y = torch.randn(400, 5, generator=torch.Generator().manual_seed(0)), torch.arange(400) % 3


def test_noise_has_its_standard_deviation_and_changes_with_every_batch() -> None:
    model, augmentation = Seen(), Augmentation(Recipe(input_noise=0.3), 0)
    augmentation.loss(model, X, Y, functional.cross_entropy)
    first = model.inputs - X
    augmentation.loss(model, X, Y, functional.cross_entropy)
    second = model.inputs - X
    assert abs(float(first.std()) - 0.3) < 0.02
    assert abs(float(first.mean())) < 0.03
    assert not torch.equal(first, second)
    Augmentation(Recipe(input_noise=0.3), 0).loss(model, X, Y, functional.cross_entropy)
    assert torch.equal(model.inputs - X, first)


@pytest.mark.parametrize("one_hot", [False, True])
def test_mixup_mixes_rows_and_losses_alike(one_hot: bool) -> None:
    model, targets = Seen(), functional.one_hot(Y).float() if one_hot else Y
    found = Augmentation(Recipe(mixup=0.4), 3).loss(model, X, targets, functional.cross_entropy)
    # With labels as rows, the mixture of the losses is the loss of the mixed labels.
    share = np.linalg.lstsq(np.stack([X.flatten(), torch.zeros(2000)], 1), model.inputs.flatten().numpy(), rcond=None)[
        0
    ][0]
    assert 0 <= share <= 1
    others = [
        (torch.cdist((row - share * X[i]).unsqueeze(0) / (1 - share), X)).argmin() for i, row in enumerate(model.inputs)
    ]
    mixed = share * functional.one_hot(Y).float() + (1 - share) * functional.one_hot(Y[torch.stack(others)]).float()
    assert float(found) == pytest.approx(float(functional.cross_entropy(model.inputs[:, :3], mixed)), rel=0.02)


def task(**changes: object) -> Task:
    rows = {"train": (X[:200], Y[:200]), "validation": (X[200:], Y[200:])}
    model = lambda: nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3))  # noqa: E731
    return Task(**({"model": model, "epochs": 3} | rows | changes))


def test_trials_with_augmentation() -> None:
    plain, noisy, again, mixed = (
        fit(task(), recipe, progress=Silent()).trial.history.validation_loss
        for recipe in (Recipe(), Recipe(input_noise=0.5), Recipe(input_noise=0.5), Recipe(mixup=0.4))
    )
    assert noisy == again
    assert plain != noisy != mixed != plain
    engine = LocalEngine(task(), Silent(), workers=1)  # such candidates are trained one by one, others as a stack
    recipes = [Recipe(), Recipe(input_noise=0.5), Recipe(rates={"2": 0.4}), Recipe(mixup=0.4)]
    engine.prepare([(recipe, 0) for recipe in recipes])
    curves = [engine.run(recipe, [0])[0].history.validation_loss for recipe in recipes]
    assert [curves[0], curves[1], curves[3]] == [plain, noisy, mixed]


def test_what_is_refused() -> None:
    tokens = task(
        model=lambda: nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(20, 3)),
        train=(torch.randint(9, (40, 5)), Y[:40]),
        validation=(torch.randint(9, (40, 5)), Y[:40]),
    )
    with pytest.raises(InputError, match=r"need floating-point inputs, got torch.int64"):
        fit(tokens, Recipe(mixup=0.2), progress=Silent())
    for wrong in ({"mixup": -0.1}, {"input_noise": "much"}, {"input_noise": float("nan")}):
        with pytest.raises(InputError):
            Recipe(**wrong)
