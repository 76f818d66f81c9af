"""DropEdge (Rong et al. 2020): dropout of a graph's edges, on the mask law."""

from __future__ import annotations

import torch
from torch import Tensor

from sukima.base.checks import check_instance
from sukima.base.errors import InputError
from sukima.masks.key import MaskKey
from sukima.torch.decisions import kind_key
from sukima.torch.rated import RatedModule, is_off, rate_of
from sukima.torch.structured import keep_over

__all__ = ["DropEdge", "drop_edge", "kept_edges"]


def kept_edges(
    edge_index: Tensor, p: float | Tensor = 0.5, *, undirected: bool = False, key: MaskKey | None = None
) -> Tensor:
    """Which edges are kept, as a boolean tensor (E,); for code that needs fixed shapes (a compiler, a weight of 0).

    Args:
        edge_index: the nodes that the edges join, integers (2, E).
        p: the probability that an edge is dropped, in [0, 1].
        undirected: the list holds each edge in both directions: both are kept or dropped together.
        key: what decides the mask; by default one draw from torch's generator.

    Raises:
        InputError: an argument is not as described.
    """
    check_instance("edge_index", edge_index, Tensor)
    if edge_index.dim() != 2 or edge_index.shape[0] != 2 or edge_index.is_floating_point():
        raise InputError(
            "edge_index must be an integer tensor of shape (2, edges), got {value}",
            value=f"{tuple(edge_index.shape)} {edge_index.dtype}",
        )
    rate = rate_of(p)
    drawn = kind_key(edge_index, key, "edge")
    if not undirected:
        return keep_over(edge_index.shape[1:], drawn, rate, edge_index.device)
    pairs = edge_index.sort(0).values
    _, number = torch.unique(pairs, dim=1, return_inverse=True)
    return keep_over(edge_index.shape[1:], drawn, rate, edge_index.device)[number]


def drop_edge(
    edge_index: Tensor,
    edge_attr: Tensor | None = None,
    p: float | Tensor = 0.5,
    training: bool = True,
    *,
    undirected: bool = False,
    key: MaskKey | None = None,
) -> tuple[Tensor, Tensor | None]:
    """Take each edge out of the list with probability ``p`` in training; do nothing at inference.

    Nothing is rescaled: as in the paper, the adjacency is normalized after edges were dropped. Arguments as in
    `kept_edges`, and ``edge_attr``: weights or features of the edges, (E, …).

    Returns:
        The edges left and their attributes.

    Raises:
        InputError: an argument is not as described.

    Paper: Rong et al., DropEdge: Towards Deep Graph Convolutional Networks on Node Classification, ICLR 2020.

    >>> edges = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    >>> left, _ = drop_edge(edges, undirected=True, key=MaskKey(1))
    >>> left.shape[1] % 2
    0
    """
    rate = rate_of(p)
    if edge_attr is not None and edge_attr.shape[:1] != edge_index.shape[1:]:
        raise InputError(
            "edge_attr must have a row for each of the {count} edges, got {value}",
            count=edge_index.shape[1],
            value=tuple(edge_attr.shape),
        )
    if is_off(training, rate):
        return edge_index, edge_attr
    kept = kept_edges(edge_index, rate, undirected=undirected, key=key)
    return edge_index[:, kept], None if edge_attr is None else edge_attr[kept]


class DropEdge(RatedModule):
    """`drop_edge` as a module."""

    def __init__(self, p: float = 0.5, *, undirected: bool = False) -> None:
        super().__init__(p)
        self.undirected = undirected

    def forward(self, edge_index: Tensor, edge_attr: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Drop edges in training mode."""
        return drop_edge(edge_index, edge_attr, self.in_force, self.training, undirected=self.undirected)

    def extra_repr(self) -> str:
        """The arguments, as torch shows them."""
        return f"{super().extra_repr()}, undirected={self.undirected}"
