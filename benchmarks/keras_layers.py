"""Our dropout beside Keras' own, on each backend: one layer, and a whole epoch of a small network on MNIST.

    python benchmarks/keras_layers.py [--backends torch tensorflow jax] [--json FILE]

A process for each backend. The layer: 2**20 float32, forward in training mode, inside a function that the backend
compiles where it does (``tf.function``, ``jax.jit``); the median of 100 calls, both layers in turn. The floor is the
same function that multiplies by a number. The network: 784-512-256-128-10 with dropout 0.5, 0.5, 0.3 (example C),
batches of 128, an epoch of ``fit`` on 48,000 images as Keras compiles it; the median of several, in turn, and every
other time in the opposite order. Beside it the processor time, of all threads, which a busy machine disturbs less.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

BACKENDS = ("torch", "tensorflow", "jax")
SIZE, CALLS, EPOCHS = 1 << 20, 100, 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backends", nargs="+", default=BACKENDS, choices=BACKENDS)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        print(json.dumps(measured()))
        return
    found = {}
    for backend in options.backends:
        environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(
            [sys.executable, __file__, "--here"], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(f"{backend}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
            continue
        found[backend] = json.loads(done.stdout.splitlines()[-1])
        shown(backend, found[backend])
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))


def shown(backend: str, result: dict[str, Any]) -> None:
    layer = result["layer"]
    print(f"{backend:10}  {result['versions']}")
    print(
        f"  layer, ns an element   ours {layer['ours']:6.3f}   Keras {layer['keras']:6.3f}"
        f"   floor {layer['floor']:6.3f}   ratio {layer['keras'] / layer['ours']:5.1f}"
    )
    if fit := result["fit"]:
        print(
            f"  an epoch of fit, s     ours {fit['ours']:6.3f}   Keras {fit['keras']:6.3f}   without {fit['none']:6.3f}"
            f"   ratio {fit['keras'] / fit['ours']:5.2f}"
        )
        work = result["fit_processor"]
        print(
            f"  processor time, s      ours {work['ours']:6.3f}   Keras {work['keras']:6.3f}"
            f"   without {work['none']:6.3f}   ratio {work['keras'] / work['ours']:5.2f}"
        )
    else:
        print("  an epoch of fit: no MNIST was found (see sukima.workflow.datasets.load_dataset)")


def measured() -> dict[str, Any]:
    import keras
    import numpy as np

    import sukima.keras as sk

    x = keras.ops.convert_to_tensor(np.random.default_rng(0).random(SIZE, np.float32))
    ours, theirs = sk.Dropout(0.5, seed=1), keras.layers.Dropout(0.5, seed=1)
    calls = {
        "ours": compiled(lambda x: ours(x, training=True), ours),
        "keras": compiled(lambda x: theirs(x, training=True), theirs),
        "floor": compiled(lambda x: x * 2.0, None),
    }
    times, _ = in_turn({name: lambda call=call: call(x) for name, call in calls.items()}, CALLS, warm=3)
    fit, work = fitted()
    return {
        "versions": f"Keras {keras.__version__}, {backend_version()}, {os.cpu_count()} cores",
        "layer": {name: value / SIZE * 1e9 for name, value in times.items()},
        "fit": fit,
        "fit_processor": work,
    }


def compiled(function: Callable[[Any], Any], layer: Any) -> Callable[[Any], None]:
    """A call that waits for its result; the state of a layer goes through it as Keras' own trainers have it."""
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        traced = tf.function(function)
        return lambda x: traced(x)
    if keras.backend.backend() == "torch":
        import torch

        def eager(x: Any) -> None:
            with torch.no_grad():
                function(x)

        return eager
    import jax

    if layer is None:
        plain = jax.jit(function)
        return lambda x: plain(x).block_until_ready()
    jitted = jax.jit(lambda state, x: layer.stateless_call([], state, x, training=True))
    state = [variable.value for variable in layer.non_trainable_variables]

    def call(x: Any) -> None:
        nonlocal state
        result, state = jitted(state, x)
        result.block_until_ready()

    return call


def in_turn(
    calls: dict[str, Callable[[], Any]], times: int, warm: int = 0
) -> tuple[dict[str, float], dict[str, float]]:
    """The median seconds of each, and of processor time, called in turn so that a busy moment meets all."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for call in calls.values():
        for _ in range(warm):
            call()
    for number in range(times):
        for name in list(calls)[:: -1 if number % 2 else 1]:
            started, before = time.perf_counter(), time.process_time()
            calls[name]()
            taken[name].append((time.perf_counter() - started, time.process_time() - before))
    wall, processor = ({name: statistics.median(each[i] for each in taken[name]) for name in taken} for i in (0, 1))
    return wall, processor


def fitted() -> tuple[dict[str, float], dict[str, float]]:
    """Seconds of an epoch, and of processor time; empty where there is no MNIST."""
    import keras

    import sukima.keras as sk
    from sukima.base.errors import InputError
    from sukima.workflow.datasets import load_dataset

    try:
        train, _ = load_dataset("mnist")
    except InputError:
        return {}, {}
    x, y = train.inputs[:48_000], train.targets[:48_000]

    def model(dropout: Any) -> Any:
        layers: list[Any] = [keras.Input((784,))]
        for units, rate in ((512, 0.5), (256, 0.5), (128, 0.3)):
            layers += [keras.layers.Dense(units, activation="relu"), *([dropout(rate)] if dropout else [])]
        made = keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])
        made.compile("adam", "sparse_categorical_crossentropy")
        made.fit(x[:1280], y[:1280], batch_size=128, verbose=0)
        return made

    models = {"ours": model(sk.Dropout), "keras": model(keras.layers.Dropout), "none": model(None)}
    return in_turn({n: lambda m=m: m.fit(x, y, batch_size=128, epochs=1, verbose=0) for n, m in models.items()}, EPOCHS)


def backend_version() -> str:
    import importlib.metadata

    import keras

    name = {"tensorflow": "tensorflow_cpu"}.get(keras.backend.backend(), keras.backend.backend())
    return f"{keras.backend.backend()} {importlib.metadata.version(name)}"


if __name__ == "__main__":
    main()
