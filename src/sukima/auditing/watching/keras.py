"""What a Keras model's dropout layers do, on each backend, while ``fit`` or a loop of one's own runs.

Compiled steps hide their values; the observer asks for them by the callback that each backend has for that. While it
watches, compiled functions are made anew, and on TensorFlow without XLA, which has no such callback.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from sukima.auditing.watching.sightings import Sightings

__all__ = ["KerasObserver"]

_SCALING = ("Rescaling", "Normalization", "Embedding", "TextVectorization")
_INFERENCE = ("evaluate", "predict", "test_on_batch", "predict_on_batch")
_COMPILED = ("train_function", "test_function", "predict_function")


class KerasObserver:
    """Wrapped calls of one model's layers, from ``start`` to ``stop``."""

    def __init__(self, model: keras.Model, seen: Sightings) -> None:
        self.model = model
        self.seen = seen
        self._wrapped: list[tuple[Any, str]] = []
        self._inferring = 0
        self._jit: Any = None
        self._scales = any(type(layer).__name__ in _SCALING for layer in _layers(model))

    def start(self) -> None:
        """Begin to watch."""
        self._wrap(self.model, "call", self._call_of_model)
        for layer in _layers(self.model):
            if _is_dropout(layer):
                self._wrap(layer, "call", self._call_of_site(layer))
        for name in _INFERENCE:
            self._wrap(self.model, name, self._inference)
        self._jit = getattr(self.model, "jit_compile", None)
        if keras.backend.backend() == "tensorflow" and self._jit:
            self.model.jit_compile = False
        self._compile_anew()

    def stop(self) -> None:
        """Leave the model as it was."""
        _settle()
        for holder, name in self._wrapped:
            object.__delattr__(holder, name)
        self._wrapped.clear()
        if self._jit is not None:
            self.model.jit_compile = self._jit
        self._compile_anew()

    def rates(self) -> dict[str, float]:
        """The rate of each site, now."""
        return {str(layer.name): float(layer.rate) for layer in _layers(self.model) if _is_dropout(layer)}

    def _compile_anew(self) -> None:
        """Functions compiled before hold the calls as they were; within ``fit`` the one in use is made again."""
        for name in _COMPILED:
            made = getattr(self.model, name, None) is not None
            if made and name == "train_function":
                self.model.make_train_function(force=True)
            elif made:
                setattr(self.model, name, None)

    def _wrap(self, holder: Any, name: str, make: Callable[[Any], Any]) -> None:
        if not hasattr(holder, name):
            return
        # Past Keras' own __setattr__, which would keep it among what is saved.
        object.__setattr__(holder, name, make(getattr(holder, name)))
        self._wrapped.append((holder, name))

    def _inference(self, method: Any) -> Any:
        def run(*arguments: Any, **keywords: Any) -> Any:
            self._inferring += 1
            try:
                return method(*arguments, **keywords)
            finally:
                _settle()
                self._inferring -= 1

        return run

    def _call_of_model(self, call: Any) -> Any:
        def run(*arguments: Any, **keywords: Any) -> Any:
            first = arguments[0] if arguments else None
            if keywords.get("training") and not self._scales and _is_batch(first):
                _on_host(lambda value: self.seen.inputs(value), first)
            return call(*arguments, **keywords)

        return run

    def _call_of_site(self, layer: Any) -> Callable[[Any], Any]:
        def make(call: Any) -> Any:
            def run(inputs: Any, *arguments: Any, **keywords: Any) -> Any:
                result = call(inputs, *arguments, **keywords)
                training = bool(keywords.get("training", arguments[0] if arguments else None))
                if _is_batch(inputs) and _is_batch(result):
                    _on_host(lambda given, after: self._observe(layer, training, given, after), inputs, result)
                return result

            return run

        return make

    def _observe(self, layer: Any, training: bool, given: np.ndarray[Any, Any], result: np.ndarray[Any, Any]) -> None:
        rate = float(layer.rate)
        if rate and given.shape == result.shape and (training or self._inferring):
            gone = (result == 0) & (given != 0)
            self.seen.mask(str(layer.name), gone, rate, learning=not self._inferring)


def _layers(model: Any) -> list[Any]:
    return list(model._flatten_layers(include_self=False))


def _is_dropout(layer: Any) -> bool:
    named = any("Dropout" in c.__name__ for c in type(layer).__mro__)
    return named and isinstance(getattr(layer, "rate", None), int | float)


def _is_batch(value: Any) -> bool:
    """Whether a value is a tensor with numbers, or will be when a compiled step runs; not one of a model's graph."""
    return keras.ops.is_tensor(value) and not isinstance(value, keras.KerasTensor)


def _on_host(see: Callable[..., None], *values: Any) -> None:
    """Let Python see values now, or whenever the step that is being compiled has them."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        if not tf.executing_eagerly():
            tf.py_function(lambda *given: see(*(np.asarray(v) for v in given)), values, [])
            return
    elif backend == "jax":
        import jax

        jax.debug.callback(lambda *given: see(*(np.asarray(v) for v in given)), *values)
        return
    see(*(np.asarray(keras.ops.convert_to_numpy(v)) for v in values))


def _settle() -> None:
    """Wait for what JAX still has to report."""
    if keras.backend.backend() == "jax":
        import jax

        jax.effects_barrier()
