"""What is measured besides the score: known answers, and the property each measure stands for."""

import numpy as np
import pytest
import torch
from torch import nn

from sukima.comparison.measures import Measures, co_adaptation, sparsity
from sukima.comparison.outputs import Probabilities, averaged, probabilities
from sukima.engines.probe import Array
from sukima.engines.torch.probe import Probe, hidden_outputs, kernels_of
from sukima.records.task import Task
from sukima.torch import Dropout

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 5)).astype("float32")
Y = (X[:, 0] > 0).astype(int)


def task(**changes: object) -> Task:
    usual = {"model": lambda: nn.Linear(5, 2), "metric": "accuracy", "batch_size": 16, "epochs": 1}
    data = {"train": (X[:40], Y[:40]), "validation": (X[40:60], Y[40:60]), "test": (X[60:], Y[60:])}
    return Task(**(usual | data | changes))  # type: ignore[arg-type]


def test_brier_and_calibration_of_known_probabilities() -> None:
    sure = Probabilities(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 1]))
    assert sure.brier() == 0
    assert sure.calibration() == 0
    wrong = Probabilities(np.array([[1.0, 0.0]]), np.array([1]))
    assert wrong.brier() == 2
    assert wrong.calibration() == 1
    # Ten rows that say 0.8, of which eight are right: calibrated, although not every answer is.
    eight = Probabilities(np.array([[0.8, 0.2]] * 10), np.array([0] * 8 + [1] * 2))
    assert eight.calibration() == pytest.approx(0, abs=1e-6)
    # Two bins that are off in opposite directions do not cancel.
    both = Probabilities(
        np.array([[0.9, 0.1]] * 10 + [[0.6, 0.4]] * 10), np.array([0] * 7 + [1] * 3 + [0] * 8 + [1] * 2)
    )
    assert both.calibration() == pytest.approx(0.2, abs=1e-6)


@pytest.mark.parametrize("targets", [np.array([1, 0]), np.array([[0, 1], [1, 0]]), np.array([[0.0, 1.0], [1.0, 0.0]])])
def test_classes_from_any_form_of_targets(targets: Array) -> None:
    outputs = np.array([[0.0, 3.0], [2.0, 0.0]])
    found = probabilities(task(), Probe(task()), outputs, targets)
    assert found is not None
    assert found.classes.tolist() == [1, 0]
    assert probabilities(task(loss="mse"), Probe(task()), outputs, targets) is None


def test_positions_of_a_sequence_are_rows() -> None:
    outputs, targets = RNG.normal(size=(2, 7, 3)), RNG.integers(0, 3, (2, 7))
    found = probabilities(task(), Probe(task()), outputs, targets)
    assert found is not None
    assert found.values.shape == (14, 3)
    np.testing.assert_allclose(found.values[3], np.exp(outputs[0, 3]) / np.exp(outputs[0, 3]).sum())


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "mse"])
def test_the_mean_of_one_is_itself_and_of_several_what_the_loss_means_by_it(loss: str) -> None:
    outputs = RNG.normal(size=(3, 6, 2)).astype("float32")
    targets = RNG.integers(0, 2, 6) if loss == "cross_entropy" else RNG.integers(0, 2, (6, 2)).astype("float32")
    work = task(loss=loss, metric=None)
    probe = Probe(work)
    alone = probe.score(averaged(work, probe, [outputs[0]], targets), targets).loss
    assert alone == pytest.approx(probe.score(outputs[0], targets).loss, abs=1e-5)
    together = probe.score(averaged(work, probe, list(outputs), targets), targets).loss
    if loss == "cross_entropy":
        mean = torch.from_numpy(outputs).softmax(2).mean(0)
        assert together == pytest.approx(float(-mean[torch.arange(6), targets].log().mean()), abs=1e-5)
    assert together <= max(probe.score(one, targets).loss for one in outputs)  # all three losses are convex


def test_sparsity_counts_weights_not_biases() -> None:
    model = nn.Sequential(nn.Linear(4, 2), nn.ReLU(), nn.Linear(2, 2))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, 0.001, 0.5, 0.0], [-2.0, 0.3, 0.1, -0.01]]))
        model[0].bias.zero_()
        model[2].weight.fill_(3.0)
    assert sparsity(kernels_of(model)) == 3 / 12


class Paired(nn.Module):
    """Its hidden units are copies of each other, with either sign."""

    def __init__(self, copies: int) -> None:
        super().__init__()
        self.copies = copies
        self.act = nn.Tanh()
        self.out = nn.Linear(2 * copies, 2)
        self.first = nn.Linear(5, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first = self.first(x)
        return self.out(self.act(torch.cat([first[:, :1]] * self.copies + [-first[:, :1]] * self.copies, 1)))


def test_units_that_are_copies_are_wholly_co_adapted() -> None:
    x = torch.from_numpy(X)
    assert co_adaptation(hidden_outputs(Paired(3), x, x[:2])) == pytest.approx(1, abs=1e-6)


def test_independent_units_are_hardly_co_adapted_and_constant_ones_do_not_count() -> None:
    model = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 2))
    with torch.no_grad():
        model[0].weight.copy_(torch.cat([torch.eye(5), torch.zeros(1, 5)]))
        model[0].bias.fill_(3.0)
    x = torch.from_numpy(RNG.normal(size=(4000, 5)).astype("float32"))
    found = co_adaptation(hidden_outputs(model, x, x[:2]))
    assert found is not None
    assert found < 0.05
    assert co_adaptation(hidden_outputs(nn.Linear(5, 2), x, x[:2])) is None


def test_masked_passes_differ_only_where_something_is_dropped() -> None:
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 2))
    dropping = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), Dropout(0.5), nn.Linear(32, 2))
    measures = Measures(task())
    before = torch.get_rng_state()
    assert measures.of(plain)["masked"] == 0
    first, second = measures.of(dropping), measures.of(dropping)
    assert first["masked"] != 0
    assert first == second  # masks and noise are the same for every network
    assert torch.equal(before, torch.get_rng_state())


def test_the_effects_of_an_average_are_those_of_the_averaged_prediction() -> None:
    measures = Measures(task())
    models = [nn.Linear(5, 2) for _ in range(3)]
    scores, effects = measures.together([measures.outputs(model) for model in models])
    x, y = torch.from_numpy(X[60:]), torch.from_numpy(Y[60:])
    mean = torch.stack([model(x).softmax(1) for model in models]).mean(0)
    assert scores["test"].loss == pytest.approx((-mean[torch.arange(30), y].log().mean()).item(), abs=1e-5)
    assert effects["brier"] == pytest.approx((mean - nn.functional.one_hot(y)).square().sum(1).mean().item(), abs=1e-5)
    alone_scores, alone = measures.together([measures.outputs(models[0])])
    ours = measures.of(models[0])
    assert alone == pytest.approx({name: ours[name] for name in alone}, abs=1e-5)
    assert set(alone_scores) == {"train", "validation", "test"}


def test_whole_numbers_as_inputs_get_no_noise() -> None:
    tokens = torch.randint(0, 5, (30, 4))
    embed = nn.Sequential(nn.Embedding(5, 3), nn.Flatten(), nn.Linear(12, 2))
    data = (tokens, torch.randint(0, 2, (30,)))
    found = Measures(task(train=data, validation=data, test=None)).of(embed)
    assert "noisy_loss" not in found
    assert found["brier"] > 0
