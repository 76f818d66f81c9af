"""What dropout costs on this machine: sukima, its peers, and the limit that memory sets, measured side by side."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sukima
from sukima.base.imports import is_installed, require

__all__ = ["CostOfDropout", "machine", "measure", "side_by_side"]

Call = Callable[[], object]

SIZES = (2**12, 2**16, 2**20, 2**24)


@dataclass(frozen=True)
class CostOfDropout:
    """One contender's time for one forward pass over float32 data."""

    contender: str
    elements: int
    seconds: float

    @property
    def nanoseconds_an_element(self) -> float:
        """The time for one element."""
        return 1e9 * self.seconds / self.elements


def side_by_side(calls: Mapping[str, Call], seconds: float = 0.2, rounds: int = 8) -> dict[str, float]:
    """Seconds a call of each: the median within a round, in the quietest round.

    They take turns, so that whatever else the machine does falls on all of them alike.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    repeats = {name: _repeats(call, seconds / rounds) for name, call in calls.items()}
    for _ in range(rounds):
        for name, call in calls.items():
            single = []
            for _ in range(repeats[name]):
                start = time.perf_counter()
                call()
                single.append(time.perf_counter() - start)
            times[name].append(statistics.median(single))
    return {name: min(each) for name, each in times.items()}


def _repeats(call: Call, seconds: float) -> int:
    call()
    start = time.perf_counter()
    call()
    return max(3, min(2000, int(seconds / max(time.perf_counter() - start, 1e-7))))


def _torch(size: int, compiled: bool) -> dict[str, Call]:
    torch = require("torch", "torch")
    x, y = torch.randn(size), torch.empty(size)
    functional = torch.nn.functional
    calls: dict[str, Call] = {
        "torch.mul(out=)": lambda: torch.mul(x, 2.0, out=y),
        "torch.relu": lambda: torch.relu(x),
        "torch": lambda: functional.dropout(x, 0.5),
    }
    if compiled:
        function = torch.compile(lambda v: functional.dropout(v, 0.5))
        calls["torch.compile"] = lambda: function(x)
    return calls


def _sukima(size: int) -> dict[str, Call]:
    torch = require("torch", "torch")
    import sukima.torch as ours

    x, y = torch.randn(size), torch.empty(size)
    return {
        "sukima": lambda: ours.dropout(x, 0.5),
        "sukima, out=": lambda: ours.dropout(x, 0.5, out=y),
    }


def _jax(size: int) -> dict[str, Call]:
    jax = require("jax", "keras")
    numpy = jax.numpy

    def drop(key: Any, x: Any) -> Any:
        return numpy.where(jax.random.bernoulli(key, 0.5, (size,)), x * 2.0, 0.0)

    dropout = jax.jit(drop)
    key, x = jax.random.key(0), numpy.ones(size)
    return {"jax": lambda: dropout(key, x).block_until_ready()}


def _tensorflow(size: int) -> dict[str, Call]:
    tensorflow = require("tensorflow", "keras")
    x = tensorflow.ones(size)
    return {"tensorflow": lambda: tensorflow.nn.dropout(x, 0.5).numpy()}


def _keras(size: int) -> dict[str, Call]:
    keras = require("keras", "keras")
    layer, x = keras.layers.Dropout(0.5), keras.ops.ones(size)
    name = f"keras on {keras.backend.backend()}"
    return {name: lambda: keras.ops.convert_to_numpy(layer(x, training=True))}


def machine() -> dict[str, str]:
    """What the figures were measured on and with."""
    torch = require("torch", "torch")
    return {
        "processor": platform.processor() or platform.machine(),
        "threads": str(torch.get_num_threads()),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "sukima": sukima.__version__,
    }


def measure(
    sizes: Sequence[int] = SIZES, seconds: float = 0.2, compiled: bool = True, peers: bool = True
) -> Iterator[CostOfDropout]:
    """Time every contender that is installed, size by size.

    Args:
        sizes: numbers of elements.
        seconds: how long to measure each contender at each size, about.
        compiled: whether to include ``torch.compile`` (compiling takes a while).
        peers: whether to include JAX, TensorFlow and Keras where they are installed.
    """
    for size in sizes:
        calls = _torch(size, compiled)
        for module, make in (("jax", _jax), ("tensorflow", _tensorflow), ("keras", _keras)):
            if peers and is_installed(module):
                calls |= make(size)
        calls |= _sukima(size)
        for name, each in side_by_side(calls, seconds).items():
            yield CostOfDropout(name, size, each)
