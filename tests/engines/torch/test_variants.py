"""Variants of a task: other networks and other data, the rest as it was."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from sukima.comparison.variants import noise_for, vary
from sukima.engines.torch.variants import _moved
from sukima.engines.variant import UnavailableError
from sukima.records.task import Task

RNG = np.random.default_rng(0)


def task(model: Callable[[], nn.Module], shape: tuple[int, ...] = (8,), **changes: object) -> Task:
    x, y = RNG.normal(size=(40, *shape)).astype("float32"), RNG.integers(0, 3, 40)
    return Task(model=model, train=(x[:20], y[:20]), validation=(x[20:], y[20:]), epochs=1, **changes)  # type: ignore[arg-type]


def chain() -> nn.Module:
    return nn.Sequential(nn.Linear(8, 12), nn.ReLU(), nn.Dropout(0.5), nn.Linear(12, 5), nn.Tanh(), nn.Linear(5, 3))


def images() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1, padding_mode="reflect"), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 4, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 2 * 2, 3),
    )  # fmt: skip


class Functional(nn.Module):
    """A forward of its own, with activations as functions."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.out = nn.Linear(8, 6), nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.relu(self.one(x))
        return self.out(x + torch.relu(self.two(x)))


MODELS = [(chain, (8,)), (images, (1, 10, 10)), (Functional, (8,))]


@pytest.mark.parametrize(("model", "shape"), MODELS)
def test_batch_norm_stands_before_every_activation(model: Callable[[], nn.Module], shape: tuple[int, ...]) -> None:
    varied = vary(task(model, shape), "batch_norm").model()
    norms = [module for module in varied.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    assert len(norms) == 2
    assert isinstance(norms[0], nn.BatchNorm2d if len(shape) == 3 else nn.BatchNorm1d)
    assert not isinstance([*varied.modules()][-1], nn.modules.batchnorm._BatchNorm)  # none after the output
    torch.manual_seed(3)
    plain = model()
    torch.manual_seed(3)
    same = vary(task(model, shape), "batch_norm").model
    torch.manual_seed(3)
    weights = [p for p in same().parameters() if p.ndim > 1]
    assert all(torch.equal(a, b) for a, b in zip([p for p in plain.parameters() if p.ndim > 1], weights, strict=True))


@pytest.mark.parametrize(("model", "shape"), MODELS)
def test_a_smaller_model_has_half_the_units(model: Callable[[], nn.Module], shape: tuple[int, ...]) -> None:
    varied = vary(task(model, shape), "smaller").model()
    full = [p.shape[0] for p in model().parameters() if p.ndim > 1]
    halved = [p.shape[0] for p in varied.parameters() if p.ndim > 1]
    assert halved == [*(size // 2 for size in full[:-1]), full[-1]]
    assert varied(torch.zeros(2, *shape)).shape == (2, 3)


@pytest.mark.parametrize(
    ("model", "change", "why"),
    [
        (lambda: nn.Sequential(nn.Linear(8, 4), nn.BatchNorm1d(4), nn.ReLU()), "batch_norm", "already"),
        (lambda: nn.Linear(8, 3), "batch_norm", "no layer"),
        (lambda: nn.Linear(8, 3), "smaller", "no hidden layer"),
        (lambda: nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.GroupNorm(2, 4), nn.Linear(4, 3)), "smaller", "Group"),
        (chain, "more_data", "no spare data"),
    ],
)  # fmt: skip
def test_what_a_task_does_not_allow_is_said(model: Callable[[], nn.Module], change: str, why: str) -> None:
    work = task(model)
    with pytest.raises(UnavailableError, match=why):
        vary(work, change)


def test_twice_the_data() -> None:
    spare = RNG.normal(size=(30, 8)).astype("float32"), RNG.integers(0, 3, 30)
    varied = vary(task(chain, spare=spare), "more_data")
    assert len(varied.train[0]) == len(varied.train[1]) == 40
    assert np.array_equal(varied.train[0][20:], spare[0][:20])
    with pytest.raises(UnavailableError, match="5 spare rows, and 20"):
        vary(task(chain, spare=(spare[0][:5], spare[1][:5])), "more_data")


def test_a_fraction_for_validation_stays_of_the_original_rows() -> None:
    x, y = RNG.normal(size=(40, 8)).astype("float32"), RNG.integers(0, 3, 40)
    varied = vary(Task(model=chain, train=(x, y), validation=0.25, spare=(x, y), epochs=1), "more_data")
    assert len(varied.train[0]) == 60
    assert np.array_equal(varied.validation[0], x[30:])


def test_augmentation_moves_images_in_training_only() -> None:
    model = vary(task(images, (1, 10, 10)), "augmentation").model()
    x = torch.randn(4, 1, 10, 10)
    torch.manual_seed(1)
    first = model(x)
    assert not torch.equal(first, model(x))
    torch.manual_seed(1)
    assert torch.equal(first, model(x))
    model.eval()
    assert torch.equal(model(x), model(x))
    with pytest.raises(UnavailableError, match="neither images"):
        vary(task(chain), "augmentation")


def test_other_inputs_get_noise_in_their_own_units() -> None:
    rows = RNG.normal(5, 2, size=(400, 8)).astype("float32"), RNG.integers(0, 3, 400)
    work = Task(model=chain, train=rows, validation=0.2, epochs=1)
    assert noise_for(work) == pytest.approx(0.6, rel=0.1)
    assert noise_for(task(images, (1, 10, 10))) == 0
    assert noise_for(Task(model=chain, train=(rows[1], rows[1]), validation=0.2, epochs=1)) == 0


def test_images_are_moved_and_not_torn() -> None:
    image = torch.arange(100.0).view(1, 1, 10, 10).expand(64, 2, 10, 10)
    moved = _moved(image)
    assert moved.shape == image.shape
    inner = moved[:, :, 4, 4]
    assert set(inner.flatten().tolist()) == {44.0 + 10 * row + column for row in (-1, 0, 1) for column in (-1, 0, 1)}
    assert torch.equal(moved[:, 0], moved[:, 1])  # channels move together
    assert torch.equal(moved[:, 0, 5, 3] - moved[:, 0, 4, 3], torch.full((64,), 10.0))
