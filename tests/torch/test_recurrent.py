"""LSTM and GRU with dropout inside: torch's own where nothing acts, known formulas where something does."""

import copy
import itertools
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence

import sukima.torch as st
from sukima.base.errors import InputError

PAIRS = [(st.LSTM, nn.LSTM), (st.GRU, nn.GRU)]
STEPWISE: dict[str, Any] = {"zoneout_hidden": 1e-12}  # runs step by step, and changes nothing that can be seen


def states(result: Any) -> list[torch.Tensor]:
    output, last = result
    data = output.data if isinstance(output, PackedSequence) else output
    return [data, *(last if isinstance(last, tuple) else (last,))]


def assert_same(ours: Any, theirs: Any) -> None:
    for a, b in zip(states(ours), states(theirs), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("ours", "torchs"), PAIRS)
@pytest.mark.parametrize("stepwise", [False, True])
@pytest.mark.parametrize(("layers", "both", "first", "bias"), list(itertools.product([1, 2], *[[False, True]] * 3)))
def test_is_torchs_where_nothing_acts(
    ours: Any, torchs: Any, stepwise: bool, layers: int, both: bool, first: bool, bias: bool
) -> None:
    options = {"num_layers": layers, "bidirectional": both, "batch_first": first, "bias": bias}
    theirs = torchs(3, 4, **options)
    module = ours(3, 4, **options, **(STEPWISE if stepwise else {}))
    assert module.state_dict().keys() == theirs.state_dict().keys()
    module.load_state_dict(theirs.state_dict())
    x = torch.randn(5, 2, 3)
    assert_same(module(x), theirs(x))
    count = 5 if first else 2
    h = torch.randn(layers * (1 + both), count, 4)
    hx = (h, torch.randn_like(h)) if torchs is nn.LSTM else h
    assert_same(module(x, hx), theirs(x, hx))
    single = torch.randn(6, 3)
    assert_same(module(single), theirs(single))
    packed = pack_sequence([torch.randn(n, 3) for n in (2, 5, 4)], enforce_sorted=False)
    assert_same(module(packed), theirs(packed))
    h = torch.randn(layers * (1 + both), 3, 4)
    hx = (h, torch.randn_like(h)) if torchs is nn.LSTM else h
    assert_same(module(packed, hx), theirs(packed, hx))


@pytest.mark.parametrize("stepwise", [False, True])
def test_projections(stepwise: bool) -> None:
    theirs = nn.LSTM(3, 5, num_layers=2, proj_size=2)
    module = st.LSTM(3, 5, num_layers=2, proj_size=2, **(STEPWISE if stepwise else {}))
    module.load_state_dict(theirs.state_dict())
    x = torch.randn(4, 2, 3)
    assert_same(module(x), theirs(x))


@pytest.mark.parametrize(("ours", "torchs"), PAIRS)
@pytest.mark.parametrize("name", ["input_dropout", "weight_dropout", "recurrent_dropout", "dropout"])
def test_inference_is_torchs(ours: Any, torchs: Any, name: str) -> None:
    module = ours(3, 4, num_layers=2, **{name: 0.5})
    theirs = torchs(3, 4, num_layers=2)
    theirs.load_state_dict(module.state_dict())
    x = torch.randn(5, 2, 3)
    trained = module(x)[0]
    assert not torch.allclose(trained, theirs(x)[0])
    assert_same(module.eval()(x), theirs(x))


def test_zoneout_of_everything_holds_the_state() -> None:
    for module in (st.LSTM(3, 4, zoneout_hidden=1, zoneout_cell=1), st.LSTM(3, 4, zoneout_hidden=1).eval()):
        h, c = torch.randn(1, 2, 4), torch.randn(1, 2, 4)
        output, (last, _) = module(torch.randn(6, 2, 3), (h, c))
        torch.testing.assert_close(last, h)
        torch.testing.assert_close(output, h.expand(6, 2, 4))


def test_zoneout_at_inference_is_the_expectation() -> None:
    torch.manual_seed(0)
    module = st.GRU(3, 4, zoneout_hidden=0.3)
    x, h = torch.randn(1, 1, 3), torch.randn(1, 1, 4)
    many = module(x.expand(1, 20_000, 3), h.expand(1, 20_000, 4))[1].mean(1)
    torch.testing.assert_close(many, module.eval()(x, h)[1][0], atol=0.02, rtol=0)


def test_input_mask_is_one_for_all_steps_and_the_same_packed() -> None:
    module = st.LSTM(3, 4, input_dropout=0.5)
    parts = [torch.randn(n, 3) for n in (3, 5)]
    padded = nn.utils.rnn.pad_sequence(parts)
    torch.manual_seed(1)
    expected = module(padded)[0]
    torch.manual_seed(1)
    packed, _ = module(pack_sequence(parts, enforce_sorted=False))
    unpacked, _ = nn.utils.rnn.pad_packed_sequence(packed)
    torch.testing.assert_close(unpacked[:3, 0], expected[:3, 0])
    torch.testing.assert_close(unpacked[:, 1], expected[:, 1])


def test_recurrent_dropout_of_everything_cuts_the_recurrence() -> None:
    module = st.LSTM(3, 4, recurrent_dropout=1.0)
    cell = nn.LSTMCell(3, 4)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in module.state_dict().items()})
    x = torch.randn(2, 1, 3)
    h, c = cell(x[0])
    h, _ = cell(x[1], (torch.zeros_like(h), c))
    torch.testing.assert_close(module(x)[0][1], h)
    module.recurrent_mode = "update"
    assert (module(x)[0] == 0).all()


@pytest.mark.parametrize("options", [{"input_dropout": 0.3}, {"recurrent_dropout": 0.3}, {"zoneout_cell": 0.3}])
def test_gradients(options: dict[str, float]) -> None:
    module = st.LSTM(2, 3, **options).double()
    x = torch.randn(3, 2, 2, dtype=torch.float64, requires_grad=True)

    def run(v: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(5)
        return module(v)[0]

    assert torch.autograd.gradcheck(run, x)


def test_weight_dropout_gives_gradients_to_the_weights() -> None:
    module = st.LSTM(2, 3, weight_dropout=0.5)
    module(torch.randn(3, 2, 2))[0].sum().backward()
    share = (module.weight_hh_l0.grad == 0).float().mean()
    assert 0.2 < share < 0.8
    assert (module.weight_ih_l0.grad != 0).all()


@pytest.mark.parametrize("bad", [-0.1, 1.5, float("nan")])
def test_rates_rejected(bad: float) -> None:
    with pytest.raises(InputError, match="zoneout_hidden must be in"):
        st.GRU(2, 3, zoneout_hidden=bad)


def test_copies_and_compiles() -> None:
    module = st.GRU(2, 3, input_dropout=0.3, recurrent_dropout=0.2)
    assert "recurrent_dropout=0.2" in repr(module)
    x = torch.randn(2, 2, 2)
    torch.manual_seed(0)
    expected = module(x)[0]
    torch.manual_seed(0)
    torch.testing.assert_close(copy.deepcopy(module)(x)[0], expected)
    torch.manual_seed(0)
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x)[0], expected)
