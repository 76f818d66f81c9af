"""What a comparison asks of trained models of any framework: outputs, hidden units and weights as arrays."""

from __future__ import annotations

from typing import Any, Protocol

from numpy.typing import NDArray

from sukima.records.result import Score

__all__ = ["Array", "Probe"]

Array = NDArray[Any]


class Probe(Protocol):
    """Looks at models of one task.

    Attributes:
        parts: the names of the data that there are: ``train``, ``validation`` and perhaps ``test``.
        class_axis: the axis of outputs along which classes lie, once they are `arranged`.
        logits: whether outputs are before the softmax or sigmoid, for a classification loss by name.
    """

    parts: tuple[str, ...]
    class_axis: int
    logits: bool

    def deviation(self, part: str) -> float:
        """Standard deviation of the inputs, over the first batch; 0 where they are not floating-point numbers."""
        ...

    def targets(self, part: str) -> Array:
        """Of every row."""
        ...

    def outputs(self, model: Any, part: str, noise: float = 0.0) -> Array:
        """What the model gives for every row, in inference mode; with ``noise`` of that deviation on the inputs.

        The noise is the same at every call, so that all models see the same disturbed rows.
        """
        ...

    def masked(self, model: Any, part: str, rows: int, passes: int) -> tuple[Array, list[Array]]:
        """For the first rows (about as many), what the model gives without masks, and in each of many masked passes.

        The masks are the same for every model; no passes where nothing is dropped. No generator is moved.
        """
        ...

    def hidden(self, model: Any, part: str) -> list[Array]:
        """What the hidden layers give for some rows: of each an array (rows, units)."""
        ...

    def kernels(self, model: Any) -> list[Array]:
        """The weights, without biases."""
        ...

    def arranged(self, outputs: Array, targets: Array) -> Array:
        """Outputs with the classes along `class_axis`."""
        ...

    def score(self, outputs: Array, targets: Array) -> Score:
        """Loss and metric of outputs that are there."""
        ...
