"""Whatever the public functions are given: the law's answer, or an error that names what is wrong; never a crash."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from torch import Tensor

import sukima.torch as st
from sukima.base.errors import InputError
from sukima.masks import law
from sukima.masks.key import MaskKey

KEY = MaskKey(2**64 - 3, 17)
Shape = tuple[int, ...]


def _ones(shape: Shape, kept: int) -> Shape:
    return (*shape[:kept], *(1 for _ in shape[kept:]))


# The function, the kind that is folded into its key, and the shape of its mask; None: it is an error.
FUNCTIONS: dict[str, tuple[Callable[..., Tensor], str, Callable[[Shape], Shape | None]]] = {
    "dropout": (st.dropout, "", lambda s: s),
    "dropout1d": (st.dropout1d, "channel", lambda s: _ones(s, len(s) - 1) if len(s) in (2, 3) else None),
    "dropout2d": (st.dropout2d, "channel", lambda s: _ones(s, 2) if len(s) in (3, 4) else None),
    "dropout3d": (st.dropout3d, "channel", lambda s: _ones(s, len(s) - 3) if len(s) in (4, 5) else None),
    "path": (st.drop_path, "path", lambda s: _ones(s, 1) if s else None),
    "token": (st.token_dropout, "token", lambda s: (*s[:-1], 1) if len(s) > 1 else None),
    "locked": (st.locked_dropout, "locked", lambda s: (1, *s[1:]) if len(s) in (2, 3) else None),
    "attention": (st.attention_dropout, "attention", lambda s: s),
}
DTYPES = [*(torch.float32, torch.float64, torch.bfloat16, torch.float16), torch.int64, torch.bool, torch.complex64]

rates = some.one_of(
    some.floats(0, 1),
    some.sampled_from([0, 1, 0.5, 1 / 256, 1e-9]),
    some.floats(),
    some.sampled_from(["0.5", None, -1, 2, 1j, True]),
)
layouts = some.sampled_from(["plain", "turned", "every other", "repeated", "reversed dims"])


def laid_out(shape: list[int], dtype: torch.dtype, layout: str) -> Tensor:
    x = torch.randn(shape).to(dtype)
    if layout == "turned" and x.dim() > 1:
        return x.transpose(0, -1).contiguous().transpose(0, -1)
    if layout == "every other":
        return torch.stack([x, x], -1)[..., 1]
    if layout == "repeated" and x.dim() > 0 and x.shape[0] > 0:
        return x[:1].expand(x.shape)
    if layout == "reversed dims":
        turned = tuple(reversed(range(x.dim())))
        return x.permute(turned).contiguous().permute(turned)
    return x


def is_rate(p: Any) -> bool:
    return isinstance(p, int | float) and not isinstance(p, bool) and 0 <= p <= 1  # NaN is not


@settings(max_examples=250, deadline=None)
@given(
    some.sampled_from(list(FUNCTIONS)), some.lists(some.integers(0, 9), max_size=6), some.sampled_from(DTYPES),
    layouts, rates,
)  # fmt: skip
def test_any_argument(name: str, shape: list[int], dtype: torch.dtype, layout: str, p: Any) -> None:
    function, kind, mask_of = FUNCTIONS[name]
    x, mask = laid_out(shape, dtype, layout), mask_of(tuple(shape))
    if mask is None or not dtype.is_floating_point or not is_rate(p):
        with pytest.raises(InputError):
            function(x, p, key=KEY)
        return
    key = KEY.fold_in(kind) if kind else KEY
    kept = torch.from_numpy(law.keep(key, p, math.prod(mask))).reshape(mask)
    scale = torch.tensor(law.scale(p), dtype=torch.float64 if dtype is torch.float64 else torch.float32)
    expected = torch.where(kept, (x.to(scale.dtype) * scale).to(dtype), torch.zeros((), dtype=dtype))
    torch.testing.assert_close(function(x, p, key=KEY), expected, rtol=0, atol=0)


@settings(max_examples=80, deadline=None)
@given(
    some.lists(some.integers(0, 6), max_size=4), some.lists(some.integers(0, 6), max_size=4),
    some.sampled_from(DTYPES), layouts,
)  # fmt: skip
def test_any_output(shape: list[int], other: list[int], dtype: torch.dtype, layout: str) -> None:
    x, out = torch.randn(shape), laid_out(other, dtype, layout)
    overlaps = torch._debug_has_internal_overlap(out) == 1
    if shape == other and dtype is torch.float32 and not overlaps:
        assert st.dropout(x, 0.5, out=out, key=KEY) is out
        assert torch.equal(out, st.dropout(x, 0.5, key=KEY))
    else:
        with pytest.raises(InputError, match="out must"):
            st.dropout(x, 0.5, out=out, key=KEY)


@pytest.mark.parametrize("start", [1, 3, 8])
def test_an_output_that_overlaps_the_input(start: int) -> None:
    memory = torch.randn(32)
    with pytest.raises(InputError, match="overlap"):
        st.dropout(memory[:16], 0.5, out=memory[start : start + 16], key=KEY)


@pytest.mark.parametrize("key", [1, "seed", torch.ones(2, dtype=torch.int64), (1, 2), torch.Generator()])
def test_a_key_of_another_type(key: Any) -> None:
    for function, _, _ in FUNCTIONS.values():
        with pytest.raises(InputError, match="key must be a MaskKey"):
            function(torch.ones(2, 3, 4, 5) if function is st.dropout3d else torch.ones(2, 3, 4), 0.5, key=key)
