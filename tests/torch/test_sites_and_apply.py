"""Sites and recipes on the shapes of models that people write."""

import copy
import pickle
from collections import OrderedDict

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import sukima
import sukima.torch as st
from sukima.base.errors import InputError
from sukima.torch.trace import functional_dropout


class Shared(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.act = nn.ReLU()
        self.a, self.b, self.c = nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.c(self.act(self.b(self.act(self.a(x)))))


class SharedToTheEnd(Shared):
    def forward(self, x: Tensor) -> Tensor:
        return self.act(super().forward(x))


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc2, self.fc1, self.out = nn.Linear(6, 6), nn.Linear(4, 6), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return F.log_softmax(self.out(torch.tanh(self.fc2(F.relu(self.fc1(x))))), -1)


class Late(nn.Module):
    """Dropout is registered last and used in the middle; one stands after the output."""

    def __init__(self, after: bool = False) -> None:
        super().__init__()
        self.after = after
        self.a, self.b = nn.Linear(4, 6), nn.Linear(6, 3)
        self.drop = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        if self.after:
            return self.drop(self.b(F.relu(self.a(x))))
        return self.b(self.drop(F.relu(self.a(x))))


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, padding=1)
        self.body = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True))
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        return self.head((x + self.body(x)).mean((2, 3)))


class Recurrent(nn.Module):
    def __init__(self, layers: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.lstm = nn.LSTM(4, 5, layers, batch_first=True, dropout=dropout)
        self.out = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.lstm(x)[0][:, -1])


class Tied(nn.Module):
    """A small language model whose output layer is its embedding, as a function or as a layer."""

    def __init__(self, how: str, rate: float = 0.1) -> None:
        super().__init__()
        self.how = how
        self.tokens = nn.Embedding(7, 8)
        self.up, self.down = nn.Linear(8, 16), nn.Linear(16, 8)
        self.drop = nn.Dropout(rate)
        if how == "layer":
            self.head = nn.Linear(8, 7, bias=False)
            self.head.weight = self.tokens.weight

    def forward(self, x: Tensor) -> Tensor:
        x = self.tokens(x)
        x = x + self.drop(self.down(F.gelu(self.up(x))))
        if self.how == "layer":
            return self.head(x)
        return F.linear(x, self.tokens.weight) if self.how == "linear" else x @ self.tokens.weight.T


class Attention(nn.Module):
    def __init__(self, rate: float) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(8, 2, dropout=rate, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.mlp(x + self.attn(x, x, x, need_weights=False)[0]).mean(1)


class Thrice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.drop = nn.Dropout(0.3)
        self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:3]:
            x = self.drop(F.relu(layer(x)))
        return self.layers[3](x)


def mlp(*extra: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3), *extra)


torch.manual_seed(0)  # some networks as narrow as these are dead from the start
FLAT, IMAGE, SEQUENCE, WORDS = torch.randn(5, 4), torch.randn(5, 1, 8, 8), torch.randn(5, 6, 4), torch.arange(10) % 7
DEEP = torch.randn(5, 6, 8)
CNN = nn.Sequential(
    nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 8), nn.ReLU(), nn.Linear(8, 3)
)
ENCODER = nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16, 0.1, batch_first=True), nn.Linear(8, 3))

# model, input, expected sites as name → (kind, place, exists)
CASES = {
    "sequential": (mlp(), FLAT, {"1": ("unit", "hidden", False)}),
    "softmax at the end": (mlp(nn.Softmax(-1)), FLAT, {"1": ("unit", "hidden", False)}),
    "activation at the end": (mlp(nn.Sigmoid()), FLAT, {"1": ("unit", "hidden", False)}),
    "names": (
        nn.Sequential(OrderedDict(fc=nn.Linear(4, 6), act=nn.GELU(), out=nn.Linear(6, 3))),
        FLAT,
        {"act": ("unit", "hidden", False)},
    ),
    "shared activation": (Shared(), FLAT, {"act": ("unit", "hidden", False)}),
    "shared with the output": (
        SharedToTheEnd(),
        FLAT,
        {"b.input": ("unit", "hidden", False), "c.input": ("unit", "hidden", False)},
    ),
    "functions": (Functional(), FLAT, {"fc2.input": ("unit", "hidden", False), "out.input": ("unit", "hidden", False)}),
    "registered last": (Late(), FLAT, {"drop": ("unit", "hidden", True)}),
    "after the output": (Late(after=True), FLAT, {"drop": ("unit", "output", True)}),
    "cnn": (CNN, IMAGE, {"2": ("channel", "convolution", False), "5": ("unit", "hidden", False)}),
    "residual": (
        Residual(),
        IMAGE,
        {"body.0.input": ("channel", "convolution", False), "body.2": ("channel", "convolution", False)},
    ),
    "one recurrent layer": (Recurrent(1), SEQUENCE, {"out.input": ("unit", "recurrent", False)}),
    "two recurrent layers": (Recurrent(2, 0.2), SEQUENCE, {"lstm": ("recurrent", "recurrent", True)}),
    "two without dropout": (
        Recurrent(2),
        SEQUENCE,
        {"lstm": ("recurrent", "recurrent", True), "out.input": ("unit", "recurrent", False)},
    ),
    "attention": (Attention(0.1), DEEP, {"attn": ("attention", "attention", True)}),
    "attention without dropout": (
        Attention(0.0),
        DEEP,
        {"attn": ("attention", "attention", True), "mlp.1": ("unit", "hidden", False)},
    ),
    "encoder": (
        ENCODER,
        DEEP,
        {
            "0.self_attn": ("attention", "attention", True),
            "0.dropout1": ("unit", "hidden", True),
            "0.dropout": ("unit", "hidden", True),
            "0.dropout2": ("unit", "hidden", True),
        },
    ),
    "tied by a function": (Tied("linear"), WORDS[None], {"drop": ("unit", "hidden", True)}),
    "tied by a product": (Tied("matmul"), WORDS[None], {"drop": ("unit", "hidden", True)}),
    "tied layer": (Tied("layer"), WORDS[None], {"drop": ("unit", "hidden", True)}),
    "used thrice": (Thrice(), FLAT, {"drop": ("unit", "hidden", True)}),
    "input": (
        nn.Sequential(nn.Dropout(0.1), nn.Linear(4, 6), nn.Dropout(0.5), nn.Linear(6, 3)),
        FLAT,
        {"0": ("unit", "input", True), "2": ("unit", "hidden", True)},
    ),
    "nothing": (nn.Linear(4, 3), FLAT, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_sites(case: str) -> None:
    model, example, expected = CASES[case]
    before = torch.get_rng_state()
    found = st.sites(model, example)
    assert {name: (site.kind, site.place, site.exists) for name, site in found.items()} == expected
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("case", CASES)
def test_apply_acts_in_training_only_and_goes_without_a_trace(case: str) -> None:
    model, example, expected = CASES[case]
    model = copy.deepcopy(model).eval()
    mode = {name: module.training for name, module in model.named_modules()}
    state = {name: value.clone() for name, value in model.state_dict().items()}
    reference = model(example)
    hidden = {name: 0.5 for name, (_, place, _) in expected.items() if place != "output"}
    rates = {name: site.rate for name, site in st.sites(model, example).items()}
    applied = sukima.apply(model, sukima.Recipe(rates={"*": 0.5}), example)
    assert dict(applied.rates) == hidden
    assert {name: module.training for name, module in model.named_modules()} == mode
    torch.testing.assert_close(model(example), reference)
    model.train()
    if hidden:
        torch.manual_seed(0)
        first = model(example)
        assert any(not torch.equal(first, model(example)) for _ in range(3))
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        torch.manual_seed(3)
        mine = model(example)
        torch.manual_seed(3)
        assert torch.equal(other(example), mine)
    applied.remove()
    applied.remove()
    if hidden:
        applied.rates[next(iter(hidden))] = 0.9  # no longer has a say
        applied.progress(0.5)
    assert {name: site.rate for name, site in st.sites(model, example).items()} == rates
    assert [name for name, _ in model.named_modules()] == list(mode)
    model.eval().load_state_dict(state)  # batch norm has seen batches
    torch.testing.assert_close(model(example), reference)
    assert all(module._forward_hooks == {} and module._forward_pre_hooks == {} for module in model.modules())
    assert state.keys() == model.state_dict().keys()


def test_nothing_is_dropped_after_the_output() -> None:
    for build in (mlp, SharedToTheEnd, Functional):
        model = build().train()
        applied = sukima.apply(model, sukima.Recipe(rates={"*": 1.0}), FLAT)
        outputs = [module for module in model.modules() if isinstance(module, nn.Linear)]
        assert applied.rates
        last = model.c if isinstance(model, Shared) else outputs[-1]
        with torch.no_grad():
            last.bias.fill_(1.0)  # with all hidden units gone the bias alone comes out
        expected = F.log_softmax(torch.ones(5, 3), -1) if build is Functional else torch.ones(5, 3)
        torch.testing.assert_close(model(FLAT), expected)


@pytest.mark.parametrize("example", [None, FLAT])
@pytest.mark.parametrize("site", ["2", "3"])
def test_dropout_at_the_output_is_refused(site: str, example: Tensor | None) -> None:
    with pytest.raises(InputError, match="output"):
        sukima.apply(mlp(nn.Sigmoid()), sukima.Recipe(rates={site: 0.5}), example)


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (sukima.Recipe(rates={"9": 0.1}), ["rates", "(1)", "'9'"]),
        (sukima.Recipe(rates={"": 0.1}), ["rates", "''"]),
        (sukima.Recipe(rates={"9.input": 0.1}), ["'9.input'"]),
        (sukima.Recipe(penalties={"1": sukima.L1(0.1)}), ["penalties", "(0, 2)", "'1'"]),
        (sukima.Recipe(rates={"1": 0.1}, schedules={"0": sukima.Early()}), ["schedules", "(1)", "'0'"]),
    ],
)
def test_an_unknown_site_lists_those_there_are(recipe: sukima.Recipe, words: list[str]) -> None:
    with pytest.raises(InputError) as error:
        sukima.apply(mlp(), recipe)
    assert all(word in str(error.value) for word in words)


def test_rates_change_at_the_next_pass_and_are_checked() -> None:
    model = mlp().train()
    applied = sukima.apply(model, sukima.Recipe(rates={"1": 0.0}))
    assert torch.equal(model(FLAT), model(FLAT))
    applied.rates["1"] = 1.0
    torch.testing.assert_close(model(FLAT), model[2].bias.expand(5, 3))
    for site, rate in (("1", 1.5), ("1", float("nan")), ("2", 0.5)):
        with pytest.raises(InputError):
            applied.rates[site] = rate
    with pytest.raises(InputError):
        del applied.rates["1"]
    assert dict(applied.rates) == {"1": 1.0}


def test_schedules_scale_the_rate() -> None:
    model = nn.Sequential(nn.Linear(4, 6), nn.Dropout(0.2), nn.Linear(6, 3))
    applied = sukima.apply(model, sukima.Recipe(rates={"1": 0.4}, schedules={"*": sukima.Linear(0.0, 1.0)}))
    for progress in (0.0, 0.25, 1.0):
        applied.progress(progress)
        assert model[1].p == pytest.approx(0.4 * progress)
    applied.remove()
    assert model[1].p == 0.2


def test_penalties_by_hand() -> None:
    model = Tied("layer")
    recipe = sukima.Recipe(penalties={"up": sukima.L1(0.1), "*": sukima.ElasticNet(0.01, 0.02)})
    applied = sukima.apply(model, recipe)
    rest = [model.tokens.weight, model.down.weight]  # the tied weight counts once, biases do not
    expected = 0.1 * model.up.weight.abs().sum() + sum(0.01 * w.abs().sum() + 0.02 * (w**2).sum() for w in rest)
    torch.testing.assert_close(applied.penalty(), expected)
    applied.penalty().backward()
    torch.testing.assert_close(model.up.weight.grad, 0.1 * model.up.weight.sign())
    assert model.up.bias.grad is None
    assert float(sukima.apply(mlp(), sukima.Recipe()).penalty()) == 0


def test_channels_are_dropped_whole_after_a_convolution() -> None:
    model = copy.deepcopy(CNN).train()
    sukima.apply(model, sukima.Recipe(rates={"2": 0.5}), IMAGE)
    with torch.no_grad():
        model[1].bias.fill_(3.0)
        dropped = model[:3](torch.randn(64, 1, 8, 8)).flatten(2).eq(0).all(2)
    assert 0.4 < dropped.float().mean() < 0.6


def test_modes_of_single_modules_stay() -> None:
    model = copy.deepcopy(CNN).train()
    model[1].eval()
    statistics = model[1].running_mean.clone()
    st.sites(model, IMAGE)
    assert model.training
    assert not model[1].training
    assert torch.equal(model[1].running_mean, statistics)


def test_dropout_called_as_a_function_is_seen() -> None:
    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(4, 8), nn.Linear(8, 2)
            self.module = nn.Dropout(0.1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            hidden = torch.nn.functional.dropout(self.first(x).relu(), 0.5, self.training)
            return self.second(self.module(hidden))

    assert functional_dropout(Functional(), torch.ones(3, 4)) == ["dropout"]
    assert functional_dropout(nn.Sequential(nn.Linear(4, 2), nn.Dropout(0.2)), torch.ones(3, 4)) == []
