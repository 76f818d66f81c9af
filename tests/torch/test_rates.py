"""Rates that change while a compiled model runs."""

import copy
import pickle

import pytest
import torch
import torch._dynamo.testing
from torch import nn

import sukima
import sukima.torch as st
from sukima.base.errors import InputError

MODULES = {
    "units": (lambda: st.Dropout(0.3), (64, 64)),
    "classic": (lambda: st.Dropout(0.3, form="classic"), (64, 64)),
    "1d": (lambda: st.Dropout1d(0.3), (32, 64, 3)),
    "2d": (lambda: st.Dropout2d(0.3), (32, 64, 3, 3)),
    "3d": (lambda: st.Dropout3d(0.3), (32, 64, 2, 2, 2)),
    "path": (lambda: st.DropPath(0.3), (2048, 2)),
    "inserted": (lambda: nn.ReLU(), (64, 64)),
}


@pytest.mark.parametrize("name", MODULES)
def test_recipes_schedule_compiled_models(name: str) -> None:
    make, shape = MODULES[name]
    model = nn.Sequential(make())
    applied = st.apply(model, sukima.Recipe(rates={"0": 0.6}, schedules={"0": sukima.Cosine()}))
    torch._dynamo.reset()
    counter = torch._dynamo.testing.CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(model, fullgraph=True, backend=counter)
    x = torch.ones(shape)
    compiled(x)
    graphs = counter.frame_count
    for rate, progress in ((0.1, 1.0), (0.5, 1.0), (0.9, 0.5), (0.9, 1.0), (0.25, 1.0)):
        applied.rates["0"] = rate
        applied.progress(progress)
        in_force = applied.rate_now("0")
        torch.manual_seed(1)
        ours = compiled(x)
        torch.manual_seed(1)
        assert torch.equal(ours == 0, model(x) == 0)
        assert abs(float((ours == 0).float().mean()) - in_force) < 0.06
    assert counter.frame_count == graphs
    applied.remove()
    assert not list(model.buffers())


def test_a_rate_held_as_tensor_keeps_its_precision() -> None:
    drop = st.Dropout(0.3)
    drop.hold_rate_as_tensor()
    model = nn.Sequential(nn.Linear(2, 2), drop).to(torch.bfloat16)
    assert float(drop.p) == 0.3
    assert not [name for name in model.state_dict() if "rate" in name]
    for twin in (copy.deepcopy(drop), pickle.loads(pickle.dumps(drop))):
        twin.p = 0.5
        assert (float(twin.p), float(drop.p)) == (0.5, 0.3)
    model.to("meta").to_empty(device="cpu")
    assert float(drop.p) == 0.3
    drop.hold_rate_as_number()
    assert drop.p == 0.3
    assert repr(drop) == "Dropout(p=0.3, inplace=False)"


def test_what_was_held_before_a_recipe_stays_so() -> None:
    drop = st.Dropout2d(0.2)
    drop.hold_rate_as_tensor(persistent=True)
    model = nn.Sequential(drop)
    applied = st.apply(model, sukima.Recipe(rates={"0": 0.7}))
    assert float(drop.p) == 0.7
    applied.remove()
    assert float(model.state_dict()["0.rate"]) == 0.2
    with pytest.raises(InputError, match="p must be a number or a tensor of one element"):
        st.dropout(torch.ones(4), torch.tensor([0.1, 0.2]))
