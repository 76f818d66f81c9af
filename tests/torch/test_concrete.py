"""Concrete dropout: the relaxed mask, its penalty, what is learned, what is left afterwards."""

import math
from collections.abc import Iterator

import pytest
import torch
from torch import nn

import sukima.torch as st
from sukima.base.errors import InputError
from sukima.masks.key import MaskKey


def test_gradients_of_input_and_rate() -> None:
    x = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    logit = torch.tensor(-0.4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v, r: st.concrete_dropout(v, r, 0.5, key=MaskKey(1)), (x, logit))


def test_low_temperature_is_dropout() -> None:
    y = st.concrete_dropout(torch.ones(200_000), torch.tensor(math.log(0.25 / 0.75)), 1e-4, key=MaskKey(1))
    hard = ((y < 1e-3) | ((y - 4 / 3).abs() < 1e-3)).float().mean()
    assert hard > 0.999
    assert abs(y.mean() - 1) < 0.01


def test_penalty_is_the_papers() -> None:
    layer = st.ConcreteDropout(nn.Linear(6, 4), 0.3, weight_regularizer=0.01, dropout_regularizer=0.02)
    squares = layer.layer.weight.square().sum()
    entropy = -(0.3 * math.log(0.3) + 0.7 * math.log(0.7))
    torch.testing.assert_close(layer.penalty(), 0.01 * squares / 0.7 - 0.02 * 6 * entropy)
    grouped = st.ConcreteDropout(layer.layer, 0.3, weight_regularizer=0.01, dropout_regularizer=0.02, groups=3)
    torch.testing.assert_close(grouped.penalty(), layer.penalty())
    torch.testing.assert_close(st.concrete_penalty(nn.ModuleList([layer, grouped])), 2 * layer.penalty())
    assert st.concrete_penalty(nn.Linear(1, 1)) == 0


@pytest.mark.parametrize("groups", [1, 2])
def test_fixed_leaves_plain_dropout_at_the_rates_learned(groups: int) -> None:
    net = nn.Sequential(st.ConcreteDropout(nn.Linear(400, 3), 0.3, groups=groups), nn.ReLU())
    with torch.no_grad():
        net[0].logit += torch.arange(float(groups))
    rates, weight = net[0].rates(), net[0].layer.weight
    x = torch.ones(500, 400)
    inference = net.eval()(x)
    plain = st.fixed(net).train()
    assert not any(isinstance(m, st.ConcreteDropout) for m in plain.modules())
    assert plain[0][1].weight is weight
    shares = (plain[0][0](x) == 0).float().view(500, groups, -1).mean((0, 2))
    torch.testing.assert_close(shares, torch.tensor(rates), atol=0.01, rtol=0)
    torch.testing.assert_close(plain.eval()(x), inference)


def test_convolutions_and_bad_arguments() -> None:
    layer = st.ConcreteDropout(nn.Conv2d(4, 2, 3, groups=2), groups=2)
    assert layer(torch.randn(1, 4, 5, 5)).shape == (1, 2, 3, 3)
    assert layer.penalty().isfinite()
    for bad in (0, 1, -0.1, 1.5, math.nan):
        with pytest.raises(InputError, match="p must be in"):
            st.ConcreteDropout(nn.Linear(2, 2), bad)
    with pytest.raises(InputError, match="groups must divide"):
        st.ConcreteDropout(nn.Linear(4, 2), groups=3)
    with pytest.raises(InputError, match="layer must be"):
        st.ConcreteDropout(nn.ReLU())  # type: ignore[arg-type]


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # the matrices are tiny
    yield
    torch.set_num_threads(before)


def learned(rows: int, initial: float, steps: int = 800) -> float:
    """The mean rate, over the last half, of a network of one hidden layer on the paper's data, y = 2x + 8 + noise."""
    torch.manual_seed(0)
    x = torch.randn(rows, 1)
    y = 2 * x + 8 + torch.randn(rows, 1)
    last = st.ConcreteDropout(nn.Linear(256, 2), initial, weight_regularizer=1e-8 / rows, dropout_regularizer=2 / rows)
    net = nn.Sequential(nn.Linear(1, 256), nn.ReLU(), last)
    weights = [*net[0].parameters(), *last.layer.parameters()]
    optimizer = torch.optim.Adam([{"params": weights}, {"params": [last.logit], "lr": 5e-2}], 1e-2)
    order = torch.Generator().manual_seed(1)
    rates = []
    for _ in range(steps):
        batch = torch.randint(rows, (20,), generator=order)
        mean, log_variance = net(x[batch]).chunk(2, -1)
        misfit = ((y[batch] - mean).square() * torch.exp(-log_variance) + log_variance).mean()
        optimizer.zero_grad()
        (misfit + st.concrete_penalty(net)).backward()
        optimizer.step()
        rates.append(last.rates()[0])
    return sum(rates[steps // 2 :]) / (steps - steps // 2)


@pytest.mark.usefixtures("one_thread")
def test_learned_rate_forgets_where_it_began_and_falls_with_data() -> None:
    low, high = learned(100, 0.05), learned(100, 0.4)
    assert abs(low - high) < 0.02, (low, high)
    assert learned(10_000, 0.2) < low - 0.1
