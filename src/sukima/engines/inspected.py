"""What is known of a task's model before any training."""

from __future__ import annotations

from dataclasses import dataclass

from sukima.records.site import Site

__all__ = ["Inspected"]


@dataclass(frozen=True)
class Inspected:
    """A task's model.

    Attributes:
        model: the model in a few words.
        sites: its sites in the order of execution.
        functional: the dropout functions that it calls itself, out of a recipe's reach.
    """

    model: str
    sites: tuple[Site, ...]
    functional: tuple[str, ...]
