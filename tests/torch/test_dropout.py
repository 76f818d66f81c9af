"""Dropout of single units and of channels."""

import copy
import pickle

import numpy as np
import pytest
import torch

import sukima.torch as st
from sukima.base.errors import InputError
from sukima.masks import law
from sukima.masks.key import MaskKey

KEY = MaskKey(12345, 6)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (7,), (1023,), (3, 5, 7)])
@pytest.mark.parametrize("rate", [1 / 300, 0.1, 0.5, 1.0])
def test_matches_the_law(shape: tuple[int, ...], rate: float) -> None:
    x = torch.randn(shape, requires_grad=True)
    y = st.dropout(x, rate, key=KEY)
    kept = torch.from_numpy(law.keep(KEY, rate, x.numel())).view(shape)
    torch.testing.assert_close(y, torch.where(kept, x * law.scale(rate), 0.0), rtol=1e-7, atol=0)
    (grad,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(grad, kept * law.scale(rate), check_dtype=False)


def test_dropped_is_plus_zero_whatever_was_there() -> None:
    y = st.dropout(torch.tensor([float("nan"), float("inf"), -1.0]), 1.0)
    assert y.tolist() == [0, 0, 0]
    assert not torch.signbit(y).any()


def test_manual_seed_decides() -> None:
    x = torch.ones(1000)
    torch.manual_seed(1)
    first, second = st.dropout(x), st.dropout(x)
    torch.manual_seed(1)
    assert torch.equal(st.dropout(x), first)
    assert not torch.equal(first, second)


def test_a_generator_of_ones_own_decides() -> None:
    generator, state = torch.Generator(), torch.get_rng_state()
    first, second, again = (
        st.dropout(torch.ones(4096), key=st.draw_key(generator=generator.manual_seed(seed))) for seed in (1, 2, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), state)
    with pytest.raises(InputError, match=r"generator must be a torch\.Generator"):
        st.draw_key(generator=3)  # type: ignore[arg-type]


def test_rate_zero_and_inference_return_the_input() -> None:
    x = torch.randn(5)
    assert st.dropout(x, 0) is x
    assert st.dropout(x, 0.5, training=False) is x


def test_classic_form_scales_at_inference() -> None:
    x = torch.randn(100)
    trained = st.dropout(x, 0.25, key=KEY, form="classic")
    assert torch.equal(trained[trained != 0], x[trained != 0])
    torch.testing.assert_close(st.dropout(x, 0.25, training=False, form="classic"), x * 0.75)


def test_inplace_overwrites_and_differentiates() -> None:
    x = torch.randn(50, requires_grad=True)
    h = x * 1
    y = st.dropout(h, 0.5, inplace=True, key=KEY)
    assert y.data_ptr() == h.data_ptr()
    y.sum().backward()
    np.testing.assert_allclose(x.grad, law.keep(KEY, 0.5, 50) * 2.0)


def test_double_backward() -> None:
    x = torch.randn(9, dtype=torch.float64, requires_grad=True)
    torch.autograd.gradcheck(lambda v: st.dropout(v, 0.3, key=KEY), x)
    torch.autograd.gradgradcheck(lambda v: st.dropout(v, 0.3, key=KEY) ** 2, x)


@pytest.mark.parametrize("bad", [-0.1, 1.5, float("nan"), "a", None])
def test_rate_rejected(bad: object) -> None:
    with pytest.raises(InputError, match=r"p must be in \[0, 1\]"):
        st.dropout(torch.ones(1), bad)  # type: ignore[arg-type]
    module = st.Dropout()
    with pytest.raises(InputError, match=r"p must be in \[0, 1\]"):
        module.p = bad  # type: ignore[assignment]


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64])
def test_dtype_rejected(dtype: torch.dtype) -> None:
    with pytest.raises(InputError, match="input must be a floating-point tensor"):
        st.dropout(torch.ones(3, dtype=dtype))


@pytest.mark.parametrize("module", [st.Dropout(0.2), st.Dropout1d(0.2), st.Dropout2d(0.2), st.Dropout3d(0.2)])
def test_module_copies_and_shows_as_torch(module: torch.nn.Module) -> None:
    assert "(p=0.2, inplace=False)" in repr(module)
    assert module.state_dict() == {}
    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert repr(twin) == repr(module)


@pytest.mark.parametrize(
    ("function", "shape", "lead"),
    [
        (st.dropout1d, (3, 4), 1),
        (st.dropout1d, (2, 3, 4), 2),
        (st.dropout2d, (2, 3, 4), 2),
        (st.dropout2d, (2, 3, 4, 5), 2),
        (st.dropout3d, (3, 2, 4, 5), 1),
        (st.dropout3d, (2, 3, 2, 4, 5), 2),
    ],
)
def test_channels_follow_the_law(function: object, shape: tuple[int, ...], lead: int) -> None:
    x = torch.randn(shape)
    y = function(x, 0.5, key=KEY)  # type: ignore[operator]
    size = int(np.prod(shape[:lead]))
    kept = torch.from_numpy(law.keep(KEY.fold_in("channel"), 0.5, size)).view(*shape[:lead], *[1] * (len(shape) - lead))
    torch.testing.assert_close(y, torch.where(kept, x * 2, 0.0))
