"""One optimizer for many networks: torch's steps, and for each network the bits that it has alone."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from sukima.engines.torch import vector
from sukima.engines.torch.optimizers import OPTIMIZERS
from sukima.engines.torch.vector import Settings, VectorOptimizer

SHAPES = [(33, 10), (33,), (3, 2, 5), (1,), ()]
TORCH: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "momentum": lambda p, **k: torch.optim.SGD(p, momentum=0.9, nesterov=True, **k),
    "adam": torch.optim.AdamW,  # the decay is always decoupled here
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
}
SETTINGS = [Settings(0.01), Settings(0.1, decay=0.3), Settings(0.02, decay=0.01, clip_norm=0.5), Settings(0.5)]
STRENGTHS = [(0.0, 0.0), (0.1, 0.0), (0.02, 0.3), (0.0, 0.2)]


@pytest.fixture(params=["compiled", "torch"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "torch":
        monkeypatch.setattr(vector, "_compiles", lambda parameters: False)
    return request.param


def values(shape: tuple[int, ...], seed: int, dtype: torch.dtype) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def starts(dtype: torch.dtype = torch.float32, networks: int = 4) -> list[Tensor]:
    return [values((networks, *shape), 7 * index, dtype) for index, shape in enumerate(SHAPES)]


def gradients(step: int, dtype: torch.dtype = torch.float32, networks: int = 4) -> list[Tensor | None]:
    made: list[Tensor | None] = [
        values((networks, *shape), 100 * step + i, dtype).mul_(0.3) for i, shape in enumerate(SHAPES)
    ]
    if step == 1:
        made[1] = None  # not used in this step
    return made


def by_torch(name: str, network: int, dtype: torch.dtype, steps: int) -> list[Tensor]:
    own, strengths = SETTINGS[network], STRENGTHS[network]
    parameters = [p[network].clone().requires_grad_() for p in starts(dtype)]
    optimizer = TORCH[name](parameters, lr=own.learning_rate, weight_decay=own.decay)
    for step in range(steps):
        optimizer.zero_grad()
        for p, g in zip(parameters, gradients(step, dtype), strict=True):
            if g is not None:
                (strengths[0] * p.abs().sum() + strengths[1] * p.square().sum()).backward()
                p.grad += g[network]
        if own.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(parameters, own.clip_norm)
        optimizer.step()
    return [p.detach() for p in parameters]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_steps_are_those_of_torch(name: str, dtype: torch.dtype, way: str) -> None:
    parameters = starts(dtype)
    optimizer = VectorOptimizer(OPTIMIZERS[name], parameters, SETTINGS)
    optimizer.penalise([STRENGTHS] * len(SHAPES))
    for step in range(6):
        optimizer.step(gradients(step, dtype))
    # torch adds 1e-6 to the norm that it clips.
    close = {"rtol": 1e-4, "atol": 1e-6} if dtype is torch.float32 else {"rtol": 1e-6, "atol": 1e-8}
    for network in range(4):
        for ours, theirs in zip(parameters, by_torch(name, network, dtype, 6), strict=True):
            torch.testing.assert_close(ours[network], theirs, **close)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_network_has_the_bits_that_it_has_alone_also_after_others_have_left(name: str, way: str) -> None:
    parameters = starts()
    optimizer = VectorOptimizer(OPTIMIZERS[name], parameters, SETTINGS)
    optimizer.penalise([STRENGTHS] * len(SHAPES))
    singles = []
    for network in range(4):
        own = [p[network].clone().unsqueeze(0) for p in parameters]
        single = VectorOptimizer(OPTIMIZERS[name], own, [SETTINGS[network]])
        single.penalise([[STRENGTHS[network]]] * len(SHAPES))
        singles.append((single, own))
    staying = list(range(4))
    for step in range(6):
        if step in (2, 4):
            kept = [0, 1, 3] if step == 2 else [2]
            staying = [staying[index] for index in kept]
            parameters = [p[kept] for p in parameters]
            optimizer.select(kept, parameters)
        given = gradients(step)
        optimizer.step([None if g is None else g[staying] for g in given])
        for network in staying:
            singles[network][0].step([None if g is None else g[network].unsqueeze(0) for g in given])
    for index, network in enumerate(staying):
        for ours, own in zip(parameters, singles[network][1], strict=True):
            assert torch.equal(ours[index], own[0])


def test_parts_may_lie_apart_in_memory() -> None:
    wide = torch.zeros(4, 64)
    spread, together = wide[:, :10].unflatten(1, (2, 5)), torch.zeros(4, 2, 5)
    turned = values((4, 5, 2), 0, torch.float32).mT
    for parameter in (spread, together):
        optimizer = VectorOptimizer(OPTIMIZERS["adam"], [parameter], SETTINGS)
        optimizer.step([turned])
        optimizer.step([turned.contiguous()])
    assert torch.equal(spread, together)
    assert not torch.equal(together, torch.zeros(4, 2, 5))
    assert (wide[:, 10:] == 0).all()


def test_numbers_of_other_types_and_sparse_gradients() -> None:
    parameter = torch.ones(2, 3, 4, dtype=torch.bfloat16)
    VectorOptimizer(OPTIMIZERS["sgd"], [parameter], SETTINGS[:2]).step([torch.ones_like(parameter)])
    assert (parameter[0] == torch.tensor(0.99, dtype=torch.bfloat16)).all()
    whole = torch.ones(1, 3, 4)
    VectorOptimizer(OPTIMIZERS["sgd"], [whole], SETTINGS[:1]).step([torch.ones(1, 3, 4).to_sparse()])
    torch.testing.assert_close(whole, torch.full((1, 3, 4), 0.99))
