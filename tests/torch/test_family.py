"""The contract that every layer of the torch family keeps."""

import copy
import doctest
import importlib
import math
import pickle
import pkgutil

import pytest
import torch
from members import MEMBERS, Member
from torch import nn
from torch.utils.checkpoint import checkpoint

import sukima.torch as st
from sukima.base.errors import InputError
from sukima.masks.key import MaskKey

KEY = MaskKey(2024, 11)
every = pytest.mark.parametrize("member", MEMBERS, ids=repr)
anywhere = pytest.mark.parametrize("member", [m for m in MEMBERS if m.any_shape], ids=repr)


def example(member: Member, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(member.shape, generator=torch.Generator().manual_seed(5)).to(dtype)


@every
def test_rate_zero_and_inference_change_nothing(member: Member) -> None:
    x = example(member)
    torch.testing.assert_close(member.call(x, 0), x)
    torch.testing.assert_close(member.call(x, 0.5, training=False), x)
    torch.testing.assert_close(member.call(x, torch.tensor(0.0), key=KEY), x)


@every
def test_rate_one(member: Member) -> None:
    x = torch.full(member.shape, float("nan")) if member.name != "connect" else example(member)
    if member.below_one:
        with pytest.raises(InputError, match=r"p must be in \[0, 1\), got 1"):
            member.call(x, 1)
    elif member.at_one is not None:
        assert (member.call(x, 1) == member.at_one).all()
        assert (member.call(x, torch.tensor(1.0)) == member.at_one).all()


@every
@pytest.mark.parametrize("bad", [-0.1, 1.5, math.nan, "a", None])
def test_rate_rejected(member: Member, bad: object) -> None:
    with pytest.raises(InputError, match="p must be in"):
        member.call(example(member), bad)


@every
def test_dtype_rejected(member: Member) -> None:
    if member.name != "connect":
        with pytest.raises(InputError, match="floating-point tensor"):
            member.call(torch.ones(member.shape, dtype=torch.int64), 0.5)


@every
def test_explicit_key_decides(member: Member) -> None:
    x = torch.randn(*member.shape[:-1], member.shape[-1])
    first = member.call(x, 0.5, key=KEY)
    torch.manual_seed(99)
    assert torch.equal(member.call(x, 0.5, key=KEY), first)
    others = [member.call(x, 0.5, key=MaskKey(seed)) for seed in range(8)]
    assert any(not torch.equal(other, others[0]) for other in others[1:])


@every
def test_manual_seed_decides(member: Member) -> None:
    x = example(member)
    torch.manual_seed(3)
    first = member.call(x, 0.5)
    torch.manual_seed(3)
    assert torch.equal(member.call(x, 0.5), first)


def test_kinds_never_share_words() -> None:
    x = torch.ones(64, 16)
    one = {m.name: m.call(x, 0.5, key=KEY) == 0 for m in MEMBERS if m.any_shape and m.name in UNITWISE}
    for a in one:
        for b in one:
            if a < b:
                share = (one[a] == one[b]).float().mean()
                assert abs(share - 0.5) < 6 * 0.5 / 32, (a, b)


UNITWISE = {"dropout", "corrupt", "attention", "weight"}


@every
def test_layout_does_not_matter(member: Member) -> None:
    x = example(member)
    turned = x.transpose(0, -1).contiguous().transpose(0, -1)
    assert torch.equal(member.call(turned, 0.4, key=KEY), member.call(x, 0.4, key=KEY))
    strided = torch.stack((x, x), -1)[..., 0]
    assert torch.equal(member.call(strided, 0.4, key=KEY), member.call(x, 0.4, key=KEY))


@anywhere
@pytest.mark.parametrize("shape", [(), (0,), (1,), (7,), (1023,)])
def test_odd_sizes(member: Member, shape: tuple[int, ...]) -> None:
    x = torch.ones(shape)
    y = member.call(x, 0.3, key=KEY)
    assert y.shape == x.shape
    assert y.dtype == x.dtype


@every
def test_empty(member: Member) -> None:
    x = torch.ones((0, *member.shape[1:]))
    assert member.call(x, 0.5).shape == x.shape


@every
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_same_decisions_in_every_type(member: Member, dtype: torch.dtype) -> None:
    x = torch.ones(member.shape)
    y = member.call(x.to(dtype), 0.4, key=KEY)
    assert y.dtype is dtype
    if member.name not in ("gaussian", "corrupt_noise"):  # float64 noise has more bits
        torch.testing.assert_close(y.float(), member.call(x, 0.4, key=KEY), rtol=1e-2, atol=1e-2)


@every
def test_gradient_and_second_gradient(member: Member) -> None:
    x = example(member, torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: member.call(v, 0.3, key=KEY), x)
    assert torch.autograd.gradgradcheck(lambda v: member.call(v, 0.3, key=KEY) ** 2, x)


@every
def test_mean(member: Member) -> None:
    if not member.mean_preserving:
        pytest.skip("masking noise does not scale")
    x = torch.full(member.shape, 1.0 if "alpha" not in member.name else 0.0)
    mean = torch.stack([member.call(x, 0.3, key=MaskKey(seed)).mean() for seed in range(400)]).mean()
    if member.name == "connect":
        return  # the identity's weights are one in five; its mean is that of `weight`
    assert abs(mean - x.mean()) < 0.12


@every
def test_rate_as_tensor_agrees(member: Member) -> None:
    x = example(member)
    torch.testing.assert_close(member.call(x, torch.tensor(0.25), key=KEY), member.call(x, 0.25, key=KEY))


@every
def test_module_is_the_function(member: Member) -> None:
    x = example(member) if member.name != "weight" else torch.randn(4, 5)
    module = member.module(0.5)
    torch.manual_seed(8)
    y = module(x)
    if member.name != "weight":
        torch.manual_seed(8)
        torch.testing.assert_close(y, member.call(x, 0.5))
    torch.testing.assert_close(module.eval()(x), x)


@every
def test_module_copies(member: Member) -> None:
    x = example(member) if member.name != "weight" else torch.randn(4, 5)
    module = member.module(0.3)
    assert "0.3" in repr(module)
    fresh = member.module(0.3)
    fresh.load_state_dict(module.state_dict())
    outcomes = []
    for twin in (module, fresh, copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert repr(twin) == repr(module)
        torch.manual_seed(1)
        outcomes.append(twin(x))
    assert all(torch.equal(outcomes[0], other) for other in outcomes[1:])


@every
def test_compiles_in_one_graph(member: Member) -> None:
    x = example(member)
    torch._dynamo.reset()
    compiled = torch.compile(lambda v: member.call(v, 0.5, key=KEY), fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), member.call(x, 0.5, key=KEY))
    module = member.module(0.5)
    if member.name != "weight":
        torch.manual_seed(2)
        y = torch.compile(module, fullgraph=True, backend="aot_eager")(x)
        torch.manual_seed(2)
        torch.testing.assert_close(y, module(x))


@every
def test_transforms(member: Member) -> None:
    x = example(member)
    many = torch.stack([x, x, x])
    same = torch.vmap(lambda v: member.call(v, 0.5, key=KEY), randomness="same")(many)
    for row in same:
        torch.testing.assert_close(row, member.call(x, 0.5, key=KEY))
    differ = torch.vmap(lambda v: member.call(v, 0.5), randomness="different")(torch.stack([x] * 16))
    assert any(not torch.equal(row, differ[0]) for row in differ[1:])
    grad = torch.func.grad(lambda v: member.call(v, 0.5, key=KEY).square().sum())(x)
    leaf = x.clone().requires_grad_()
    (expected,) = torch.autograd.grad(member.call(leaf, 0.5, key=KEY).square().sum(), leaf)
    torch.testing.assert_close(grad, expected)


@every
def test_functional_call(member: Member) -> None:
    if member.name == "weight":
        return
    model = nn.Sequential(nn.Identity(), member.module(0.5))
    parameters = dict(model.named_parameters())
    torch.manual_seed(4)
    y = torch.func.functional_call(model, parameters, (example(member),))
    torch.manual_seed(4)
    torch.testing.assert_close(y, model(example(member)))


@every
@pytest.mark.parametrize("reentrant", [False, True])
def test_activation_checkpointing(member: Member, reentrant: bool) -> None:
    grads = []
    for wrapped in (False, True):
        x = example(member).requires_grad_()
        torch.manual_seed(6)

        def run(v: torch.Tensor) -> torch.Tensor:
            return member.call(v * 1, 0.5).square()

        y = checkpoint(run, x, use_reentrant=reentrant) if wrapped else run(x)
        y.sum().backward()
        grads.append(x.grad)
    torch.testing.assert_close(grads[0], grads[1])


@every
def test_autocast(member: Member) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        y = member.call(example(member), 0.5, key=KEY)
    assert y.dtype in (torch.float32, torch.bfloat16)
    if member.name != "connect":
        torch.testing.assert_close(y, member.call(example(member), 0.5, key=KEY))


@pytest.mark.parametrize(
    "module", [st.AlphaDropout(0.3), st.GaussianDropout(0.3), st.DropPath(0.3), st.DropBlock2d(0.3)], ids=repr
)
def test_rate_held_as_tensor_can_be_kept(module: st.DropPath) -> None:
    module.hold_rate_as_tensor(persistent=True)
    module.p = 0.25
    twin = copy.deepcopy(module)
    twin.p = 0.1
    twin.load_state_dict(module.state_dict())
    assert float(twin.p) == 0.25
    with pytest.raises(InputError, match="p must be in"):
        module.p = 1.5


@pytest.mark.parametrize(
    "name", sorted(m.name for m in pkgutil.iter_modules(importlib.import_module("sukima.torch").__path__))
)
def test_examples_run(name: str) -> None:
    torch.manual_seed(0)
    module = importlib.import_module(f"sukima.torch.{name}")
    assert doctest.testmod(module).failed == 0
