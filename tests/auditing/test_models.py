"""Live models: what the traced or symbolic view of a real module shows."""

import os

import pytest

torch = pytest.importorskip("torch")
nn = torch.nn
F = torch.nn.functional

import sukima  # noqa: E402
from sukima.auditing.api import view_models  # noqa: E402
from sukima.base.errors import InputError  # noqa: E402


def codes(model: object, example: object = None) -> list[str]:
    return sorted({f.code for f in sukima.audit(model, example)})


def hidden(*rest: nn.Module) -> list[nn.Module]:
    return [nn.Linear(784, 512), nn.ReLU(), *rest]


EXERCISES = {
    "a": (lambda: [*hidden(nn.Dropout(0.5)), nn.Linear(512, 10), nn.Softmax(1), nn.Dropout(0.5)], ["SK111"]),
    "b": (lambda: [*hidden(nn.Dropout(0.5)), nn.Linear(512, 256), nn.ReLU(), nn.Dropout(0.3), nn.Linear(256, 10)], []),
    "c": (lambda: [nn.Dropout(0.5), *hidden(nn.Dropout(0.5)), nn.Linear(512, 10)], ["SK206"]),
    "d": (lambda: [*hidden(), nn.Linear(512, 10), nn.Dropout(0.5)], ["SK111"]),
}


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize("traced", [True, False])
def test_exercises(name: str, traced: bool) -> None:
    layers, expected = EXERCISES[name]
    assert codes(nn.Sequential(*layers()), torch.randn(2, 784) if traced else None) == expected


class Wired(nn.Module):
    """Four faults, and a condition on data that symbolic tracing cannot follow."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(8, 8)
        self.fc2 = nn.Linear(8, 2)
        self.loose = [nn.Dropout(0.5)]
        self.idle = nn.Dropout(0.3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.sum() > 1e9:
            return x
        return self.fc2(F.dropout(self.loose[0](self.fc1(x)), 0.2))


def test_what_only_a_pass_can_show() -> None:
    assert codes(Wired(), torch.randn(2, 8)) == ["SK101", "SK108", "SK121"]
    assert codes(Wired()) == ["SK108"]


def test_nothing_about_the_model_changes() -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 2))
    model[2].eval()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    state = torch.random.get_rng_state()
    sukima.audit(model, torch.randn(2, 8))
    assert [m.training for m in model.modules()] == [True, True, True, False, True]
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    torch.random.set_rng_state(state)


def test_functional_calls_link_layers() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 4, 3)
            self.drop = nn.Dropout(0.5)
            self.bn = nn.BatchNorm1d(4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = F.relu(self.conv(x)).mean((2, 3))
            return self.bn(self.drop(x).view(-1, 4))

    for example in (torch.randn(2, 1, 8, 8), None):
        assert "SK201" in codes(Net(), example)


def test_recurrent_dropout_with_one_layer() -> None:
    class Tagger(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            with pytest.warns(UserWarning, match="dropout"):
                self.rnn = nn.LSTM(8, 8, dropout=0.5)
            self.fc = nn.Linear(8, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.fc(self.rnn(x)[0])

    assert codes(Tagger(), torch.randn(3, 2, 8)) == ["SK124"]


def test_our_own_layers_are_known() -> None:
    from sukima.torch import Dropout

    assert codes(nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2), Dropout(0.5)), torch.randn(2, 8)) == [
        "SK111"
    ]


def test_wrong_inputs_are_named() -> None:
    with pytest.raises(InputError, match=r"^example_input must be something the model accepts, got "):
        sukima.audit(nn.Linear(8, 2), torch.randn(2, 3))
    with pytest.raises(InputError, match="target must be a path"):
        sukima.audit(3)


@pytest.fixture(scope="module")
def keras() -> object:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    return pytest.importorskip("keras", minversion="3.8")


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize("style", ["sequential", "functional"])
def test_keras_exercises(keras, name: str, style: str) -> None:
    layers = keras.layers
    dense = {
        512: lambda: layers.Dense(512, "relu"),
        256: lambda: layers.Dense(256, "relu"),
        10: lambda: layers.Dense(10, "softmax"),
    }
    plans = {
        "a": [512, 0.5, 256, 0.5, 10, 0.5], "b": [512, 0.5, 256, 0.3, 10],
        "c": [0.5, 512, 0.5, 256, 10], "d": [512, 256, 10, 0.5],
    }  # fmt: skip
    made = [dense[p]() if isinstance(p, int) else layers.Dropout(p) for p in plans[name]]
    inputs = keras.Input((784,))
    if style == "sequential":
        model = keras.Sequential([inputs, *made])
    else:
        x = inputs
        for layer in made:
            x = layer(x)
        model = keras.Model(inputs, x)
    assert codes(model) == EXERCISES[name][1]


def test_keras_shared_layers_and_branches(keras) -> None:
    layers = keras.layers
    inputs = keras.Input((8,))
    shared = layers.Dense(8, "relu")
    x = layers.Add()([shared(inputs), shared(layers.Dense(8)(inputs))])
    outputs = layers.Dropout(0.2)(layers.Dense(3)(x))
    model = keras.Model(inputs, outputs)
    assert codes(model) == ["SK111"]
    (view,) = view_models(model)
    assert [o.name for o in view.operations].count("Dense") == 4


def test_keras_example_d_is_advice(keras) -> None:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((784,)),
            layers.Dense(512),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dropout(0.5),
            layers.Dense(10),
        ]
    )
    assert codes(model) == ["SK303"]
