"""Dropout of words: token ids replaced, positions emptied, word types without an embedding; on the mask law."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sukima.base.checks import check_instance
from sukima.base.errors import InputError
from sukima.masks.key import Key, MaskKey
from sukima.torch.decisions import kind_key, masked_by
from sukima.torch.keys import of_kind
from sukima.torch.masked import check_input, site_key
from sukima.torch.rated import RatedModule, check_dims, is_off, rate_of
from sukima.torch.structured import keep_over, masked_over, scale_of, whole_shape

__all__ = ["Embedding", "TokenDropout", "WordDropout", "embedding_dropout", "token_dropout", "word_dropout"]


def _check_tokens(tokens: Tensor) -> None:
    check_instance("tokens", tokens, Tensor)
    if tokens.is_floating_point() or tokens.is_complex() or tokens.dtype is torch.bool:
        raise InputError("{name} must be an integer tensor, got {value}", name="tokens", value=str(tokens.dtype))


def word_dropout(
    tokens: Tensor,
    p: float | Tensor = 0.1,
    replacement: int = 0,
    training: bool = True,
    *,
    protected: Sequence[int] = (),
    key: MaskKey | None = None,
) -> Tensor:
    """Replace each token id by ``replacement`` with probability ``p`` in training; do nothing at inference.

    Args:
        tokens: integer ids of any shape.
        p: the rate, in [0, 1].
        replacement: the id that stands for an unknown (or masked) word.
        training: whether to replace at all.
        protected: ids that are never replaced: padding, beginning and end.
        key: what decides; by default one draw from torch's generator.

    Raises:
        InputError: an argument is not as described.

    Papers: Iyyer et al., Deep Unordered Composition Rivals Syntactic Methods, ACL 2015; Bowman et al., Generating
    Sentences from a Continuous Space, CoNLL 2016.

    >>> word_dropout(torch.tensor([2, 7, 8, 9, 3]), 1.0, replacement=1, protected=(2, 3))
    tensor([2, 1, 1, 1, 3])
    """
    _check_tokens(tokens)
    rate = rate_of(p)
    if is_off(training, rate):
        return tokens
    kept = keep_over(tokens.shape, kind_key(tokens, key, "word"), rate, tokens.device)
    for token in protected:
        kept = kept | (tokens == token)
    return torch.where(kept, tokens, torch.full_like(tokens, replacement))


def token_dropout(input: Tensor, p: float | Tensor = 0.1, training: bool = True, *, key: Key | None = None) -> Tensor:
    """Drop whole positions of an input (…, L, D): all D features of a token at once. Kept ones times 1/(1 - p).

    Raises:
        InputError: an argument is not as described.
    """
    check_input(input)
    rate = rate_of(p)
    check_dims(input, 2)
    if is_off(training, rate):
        return input
    drawn = of_kind(site_key(input, key), "token")
    return masked_over(input, (*whole_shape(input, drawn)[:-1], 1), drawn, rate)


def _without_types(
    found: Tensor, tokens: Tensor, types: int, p: float | Tensor, training: bool, key: MaskKey | None
) -> Tensor:
    rate = rate_of(p)
    if is_off(training, rate):
        return found
    drawn = kind_key(found, key, "word type")

    def decide() -> Tensor:
        return keep_over((types,), drawn, rate, found.device)[tokens].unsqueeze(-1)

    return masked_by(found, decide, scale_of(rate))


def embedding_dropout(
    tokens: Tensor,
    weight: Tensor,
    p: float | Tensor = 0.1,
    training: bool = True,
    *,
    key: MaskKey | None = None,
    **embedding: Any,
) -> Tensor:
    """Look up embeddings, dropping whole word *types* with probability ``p``: a dropped word is zero everywhere.

    Args:
        tokens: integer ids of any shape.
        weight: the embedding matrix (V, D); row ``v`` is dropped or kept as element ``v`` of the mask.
        p: the rate, in [0, 1].
        training: whether to drop at all.
        key: what decides; by default one draw from torch's generator.
        **embedding: passed to ``torch.nn.functional.embedding``.

    Raises:
        InputError: an argument is not as described.

    Papers: Gal & Ghahramani, A Theoretically Grounded Application of Dropout in Recurrent Neural Networks, NeurIPS
    2016; Merity et al., Regularizing and Optimizing LSTM Language Models, ICLR 2018.
    """
    _check_tokens(tokens)
    check_input(weight, "weight")
    found = functional.embedding(tokens, weight, **embedding)
    return _without_types(found, tokens, weight.shape[0], p, training, key)


class WordDropout(RatedModule):
    """`word_dropout` as a module."""

    def __init__(self, p: float = 0.1, replacement: int = 0, *, protected: Sequence[int] = ()) -> None:
        super().__init__(p)
        self.replacement = replacement
        self.protected = tuple(protected)

    def forward(self, tokens: Tensor) -> Tensor:
        """Replace ids in training mode."""
        return word_dropout(tokens, self.in_force, self.replacement, self.training, protected=self.protected)

    def extra_repr(self) -> str:
        """The arguments, as torch shows them."""
        return f"{super().extra_repr()}, replacement={self.replacement}, protected={self.protected}"


class TokenDropout(RatedModule):
    """`token_dropout` as a module."""

    def __init__(self, p: float = 0.1) -> None:
        super().__init__(p)

    def forward(self, input: Tensor) -> Tensor:
        """Drop positions of ``input`` in training mode."""
        return token_dropout(input, self.in_force, self.training)


class Embedding(nn.Embedding):
    """``torch.nn.Embedding`` with `embedding_dropout`; the same arguments and state dict, and the rate ``p``."""

    def __init__(self, *args: Any, p: float = 0.1, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.p = float(rate_of(p))

    def forward(self, input: Tensor) -> Tensor:
        """Look up ``input``; in training mode some word types are zero."""
        return _without_types(super().forward(input), input, self.num_embeddings, self.p, self.training, None)

    def extra_repr(self) -> str:
        """The arguments, as torch shows them."""
        return f"{super().extra_repr()}, p={self.p:g}"
