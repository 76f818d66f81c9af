"""Multi-head attention whose dropout of weights is by the mask law."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from sukima.torch.attention import attention_dropout
from sukima.torch.rated import is_off, rate_of

__all__ = ["MultiheadAttention"]


class MultiheadAttention(nn.MultiheadAttention):
    """`torch.nn.MultiheadAttention`: the same arguments, results, parameters and state dict; its masks are by the law.

    In training attention weights are dropped at the rate ``dropout``, after the softmax, and kept ones multiplied by
    1/(1 - rate); the mask is one draw from torch's generator, or the site's key inside `sukima.torch.keyed`. At
    inference, and where the rate is 0, it is torch's own layer.

    Paper: Vaswani et al., Attention Is All You Need, NeurIPS 2017 (its reference implementation).
    """

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """As torch's: (L, N, E), with ``batch_first`` (N, L, E), or (L, E), and (N, L, S) weights where asked for."""
        torchs = is_off(self.training, rate_of(self.dropout, "dropout")) or query.is_nested
        if torchs or (is_causal and attn_mask is None):  # that is an error, and torch's own
            return super().forward(
                query, key, value, key_padding_mask, need_weights, attn_mask, average_attn_weights, is_causal
            )
        batched = query.dim() == 3
        if not batched:
            query, key, value = (part.unsqueeze(0) for part in (query, key, value))
            key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
        elif not self.batch_first:
            query, key, value = (part.transpose(0, 1) for part in (query, key, value))
        q, k, v = self._heads(query, key, value)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        for mask in self._masks(key_padding_mask, attn_mask, scores):
            scores = scores + mask
        weights = self.drop_weights(scores.softmax(-1))
        result = self.out_proj((weights @ v).transpose(1, 2).flatten(2))
        if average_attn_weights:
            weights = weights.mean(1)
        if not batched:
            result, weights = result.squeeze(0), weights.squeeze(0)
        elif not self.batch_first:
            result = result.transpose(0, 1)
        return result, weights if need_weights else None

    def drop_weights(self, weights: Tensor) -> Tensor:
        """Dropout of (N, H, L, S) weights."""
        return attention_dropout(weights, self.dropout)

    def _heads(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The three projections as (N, H, L, E/H), with what is appended to keys and values."""
        if self.in_proj_weight is None:
            matrices = [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
        else:
            matrices = list(self.in_proj_weight.chunk(3))
        biases = [None] * 3 if self.in_proj_bias is None else list(self.in_proj_bias.chunk(3))
        if query is key is value and self.in_proj_weight is not None:
            parts = list(functional.linear(query, self.in_proj_weight, self.in_proj_bias).chunk(3, -1))
        else:
            parts = [functional.linear(*each) for each in zip((query, key, value), matrices, biases, strict=True)]
        if self.bias_k is not None and self.bias_v is not None:
            added = (self.bias_k, self.bias_v)
            parts[1:] = [torch.cat([p, a.expand(len(p), -1, -1)], 1) for p, a in zip(parts[1:], added, strict=True)]
        if self.add_zero_attn:
            parts[1:] = [functional.pad(part, (0, 0, 0, 1)) for part in parts[1:]]
        q, k, v = (part.unflatten(-1, (self.num_heads, self.head_dim)).transpose(1, 2) for part in parts)
        return q, k, v

    def _masks(self, padding: Tensor | None, mask: Tensor | None, scores: Tensor) -> list[Tensor]:
        """What is added to the scores; appended keys are never masked."""
        found = []
        if mask is not None:
            found.append(mask.unflatten(0, (-1, self.num_heads)) if mask.dim() == 3 else mask)
        if padding is not None:
            found.append(padding[:, None, None, :])
        added = [
            torch.zeros_like(each, dtype=scores.dtype).masked_fill(each, -math.inf)
            if each.dtype is torch.bool
            else each
            for each in found
        ]
        return [functional.pad(each, (0, scores.shape[-1] - each.shape[-1])) for each in added]
