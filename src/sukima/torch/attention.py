"""Dropout in attention: of single weights, and of whole heads, on the mask law."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from sukima.base.checks import check_instance
from sukima.masks.key import Key, MaskKey
from sukima.torch.attend import attend, can_attend
from sukima.torch.keys import of_kind
from sukima.torch.masked import check_input, put_mask, site_key
from sukima.torch.rated import RatedModule, check_dims, is_off, rate_of
from sukima.torch.structured import masked_over, whole_shape

__all__ = [
    "AttentionDropout",
    "HeadDropout",
    "attention_dropout",
    "head_dropout",
    "scaled_dot_product_attention",
]


def attention_dropout(
    weights: Tensor, p: float | Tensor = 0.1, training: bool = True, *, key: Key | None = None
) -> Tensor:
    """Drop single attention weights (after the softmax) in training; kept ones are multiplied by 1/(1 - p).

    Args:
        weights: (…, L, S), rows that sum to 1; rows of the result do so in expectation.
        p: the rate, in [0, 1].
        training: whether to drop at all.
        key: what decides the mask; by default one draw from torch's generator.

    Raises:
        InputError: an argument is not as described.

    Paper: Vaswani et al., Attention Is All You Need, NeurIPS 2017 (its reference implementation).
    """
    check_input(weights, "weights")
    rate = rate_of(p)
    if is_off(training, rate):
        return weights
    return put_mask(weights, of_kind(site_key(weights, key), "attention"), rate)


def head_dropout(
    input: Tensor, p: float | Tensor = 0.1, training: bool = True, *, dim: int = 1, key: Key | None = None
) -> Tensor:
    """Drop whole heads in training, one decision for each sample and head; kept ones are multiplied by 1/(1 - p).

    Args:
        input: what the heads give (or their weights), samples first: (N, H, L, D) with ``dim=1``.
        p: the rate, in [0, 1].
        training: whether to drop at all.
        dim: the dimension of the heads.
        key: what decides the mask; by default one draw from torch's generator.

    Raises:
        InputError: an argument is not as described.

    Paper: Zhou et al., Scheduled DropHead, Findings of EMNLP 2020 (which rescales by the heads that were kept).
    """
    check_input(input)
    rate = rate_of(p)
    check_dims(input, 2)
    if is_off(training, rate):
        return input
    shape, drawn = [1] * input.dim(), of_kind(site_key(input, key), "head")
    whole = whole_shape(input, drawn)
    shape[0], shape[dim] = whole[0], whole[dim]
    return masked_over(input, shape, drawn, rate)


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float | Tensor = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    *,
    head_dropout_p: float | Tensor = 0.0,
    mask_key: MaskKey | None = None,
) -> Tensor:
    """``torch.nn.functional.scaled_dot_product_attention`` with its dropout of weights, and of heads, on the mask law.

    As there, dropout acts whenever a rate is above 0: give 0 at inference. Where no weight is dropped, torch's fused
    kernel is used.

    Args:
        query: (N, H, L, E).
        key: (N, H, S, E).
        value: (N, H, S, Ev).
        attn_mask: boolean (true: take part) or added to the scores; broadcast to (N, H, L, S).
        dropout_p: the rate for weights, in [0, 1].
        is_causal: whether a position sees itself and earlier ones only; not together with ``attn_mask``.
        scale: what scores are multiplied by; by default 1/sqrt(E).
        head_dropout_p: the rate for heads, in [0, 1].
        mask_key: what decides both masks; by default one draw from torch's generator.

    Raises:
        InputError: an argument is not as described.
    """
    for name, tensor in (("query", query), ("key", key), ("value", value)):
        check_instance(name, tensor, Tensor)
        check_input(tensor, name)
    weights_rate, heads_rate = rate_of(dropout_p, "dropout_p"), rate_of(head_dropout_p, "head_dropout_p")
    if is_off(True, weights_rate):
        result = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=attn_mask, is_causal=is_causal, scale=scale
        )
    else:
        if is_causal:
            attn_mask = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool, device=query.device).tril()
        result = _with_dropped_weights(query, key, value, attn_mask, scale, weights_rate, mask_key)
    return result if is_off(True, heads_rate) else head_dropout(result, heads_rate, dim=-3, key=mask_key)


def _with_dropped_weights(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float | None, rate: float | Tensor,
    mask_key: MaskKey | None,
) -> Tensor:  # fmt: skip
    if isinstance(rate, float) and can_attend(query, key, value, mask):
        drawn = of_kind(site_key(query, mask_key), "attention")
        assert isinstance(drawn, MaskKey)  # nobody looks, so it is not a tensor
        return attend(query, key, value, mask, scale, drawn, rate)
    scores = query @ key.transpose(-2, -1) * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf) if mask.dtype is torch.bool else scores + mask
    return attention_dropout(scores.softmax(-1), rate, key=mask_key) @ value


class AttentionDropout(RatedModule):
    """`attention_dropout` as a module."""

    def __init__(self, p: float = 0.1) -> None:
        super().__init__(p)

    def forward(self, weights: Tensor) -> Tensor:
        """Drop attention weights in training mode."""
        return attention_dropout(weights, self.in_force, self.training)


class HeadDropout(RatedModule):
    """`head_dropout` as a module."""

    def __init__(self, p: float = 0.1, dim: int = 1) -> None:
        super().__init__(p)
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """Drop heads of ``input`` in training mode."""
        return head_dropout(input, self.in_force, self.training, dim=self.dim)

    def extra_repr(self) -> str:
        """The arguments, as torch shows them."""
        return f"{super().extra_repr()}, dim={self.dim}"
