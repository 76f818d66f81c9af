"""What audit knows of a class of layers."""

from __future__ import annotations

from dataclasses import dataclass

from sukima.records.model_view import Kind

__all__ = ["LayerSpec"]


@dataclass(frozen=True)
class LayerSpec:
    """A layer class: its kind, and which arguments (position, names) give its rate and its width."""

    framework: str
    kind: Kind
    rate: tuple[int, tuple[str, ...]] | None = None
    width: tuple[int, tuple[str, ...]] | None = None
    fan_in: int | None = None
    rank: int | None = None
