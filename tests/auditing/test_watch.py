"""The watch: findings in motion, and silence where all is well."""

import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")
nn = torch.nn

import sukima  # noqa: E402
from sukima.base.errors import InputError  # noqa: E402


def build(rate: float = 0.5) -> nn.Module:
    return nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Dropout(rate), nn.Linear(64, 2))


def step(model: nn.Module, scale: float = 1.0) -> None:
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    model(torch.randn(16, 8) * scale).sum().backward()
    optimizer.step()


def saliency(model: nn.Module) -> None:
    model.eval()
    x = torch.randn(16, 8, requires_grad=True)
    model(x).sum().backward()
    model.train()


def watched(model: nn.Module, *actions, **options) -> list[str]:
    with sukima.watch(model, show=False, **options) as watch:
        for action in actions:
            action(model)
    return sorted(f.code for f in watch.findings)


def evaluate(model: nn.Module) -> None:
    model.eval()
    with torch.no_grad():
        model(torch.randn(16, 8))


def test_a_proper_run_is_silent() -> None:
    model = build()
    assert watched(model, step, step, step, evaluate, lambda m: m.train(), step, step) == []
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_gradients_of_the_input_are_no_training() -> None:
    assert watched(build(), step, saliency, step) == []


def test_train_never_restored() -> None:
    assert watched(build(), step, evaluate, step) == ["SK106"]
    assert watched(build(), evaluate, step) == ["SK129"]


def test_dropout_without_gradients() -> None:
    def forget(model: nn.Module) -> None:
        with torch.no_grad():
            model(torch.randn(16, 8))

    assert watched(build(), step, forget) == ["SK110"]
    assert watched(build(), step, forget, sampling=True) == []


def test_unscaled_inputs() -> None:
    assert watched(build(), lambda m: step(m, 255.0)) == ["SK239"]


def test_small_rates_are_not_suspected_of_never_dropping() -> None:
    model = nn.Sequential(nn.Linear(8, 2), nn.Dropout(0.001))
    assert watched(model, *[step] * 4) == []


class Still(nn.Dropout):
    """Dropout with one mask for ever."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * (torch.arange(x.shape[-1]) % 2) * 2.0


def test_masks_that_stand_still_are_shared_or_never_drop() -> None:
    still = nn.Sequential(nn.Linear(8, 64), Still(0.5), nn.Linear(64, 64), Still(0.5))
    assert watched(still, *[step] * 4) == ["SK141", "SK141", "SK143"]

    class Dead(nn.Dropout):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

    assert watched(nn.Sequential(nn.Linear(8, 64), Dead(0.5)), *[step] * 4) == ["SK142"]


WORKER = """
import sys, torch, sukima
from torch import nn

rank, address, same = int(sys.argv[1]), sys.argv[2], sys.argv[3] == "True"
torch.distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=2)
torch.manual_seed(7 if same else rank)
model = nn.Sequential(nn.Linear(8, 64), nn.Dropout(0.5), nn.Linear(64, 2))
with sukima.watch(model, show=False) as watch:
    for _ in range(4):
        model(torch.randn(16, 8)).sum().backward()
print(*(f.code for f in watch.findings))
"""


@pytest.mark.parametrize("same", [True, False])
def test_the_same_mask_on_two_ranks(tmp_path, same: bool) -> None:
    address = f"file://{tmp_path}/meeting"
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER, str(rank), address, str(same)], stdout=-1, text=True)
        for rank in range(2)
    ]
    said = [worker.communicate(timeout=100)[0].split() for worker in workers]
    assert said == [["SK143"] * same] * 2


def test_rates_of_one_recipe_are_compared_between_runs() -> None:
    recipe = sukima.Recipe(rates={"0": 0.1})
    assert watched(build(0.5), step, recipe=recipe) == []
    assert watched(build(0.4), step, recipe=recipe) == ["SK214"]


def test_training_is_not_changed() -> None:
    results = []
    for watching in (False, True):
        torch.manual_seed(3)
        model = build()
        if watching:
            with sukima.watch(model, show=False):
                step(model)
        else:
            step(model)
        results.append(model[0].weight.grad)
    assert torch.equal(*results)


def test_only_modules_can_be_watched() -> None:
    with pytest.raises(InputError, match=r"^model must be a torch.nn.Module or a Keras model, got "):
        sukima.watch(3)
