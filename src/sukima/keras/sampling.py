"""Masks at inference: dropout acts, and everything else is in inference mode."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

from sukima.base.checks import check_instance
from sukima.keras.apply import recompiled
from sukima.keras.layers import has_sampling

__all__ = ["sampling"]


@contextmanager
def sampling(model: Any) -> Iterator[Any]:
    """Inside, our dropout in ``model`` acts in ``predict``, ``evaluate`` and direct calls too; afterwards it does not.

    Batch normalisation uses its moving statistics and does not update them. Keras' own dropout layers stay off:
    `sukima.keras.replace` gives a model with ours.

    Paper: Gal & Ghahramani, Dropout as a Bayesian Approximation, ICML 2016.

    >>> import numpy as np, sukima.keras as sk
    >>> model = keras.Sequential([keras.Input((8,)), sk.Dropout(0.5, seed=1)])
    >>> with sampling(model):
    ...     drawn = model.predict(np.ones((1, 8)), verbose=0)
    >>> bool((drawn == 0).any()), bool((model.predict(np.ones((1, 8)), verbose=0) == 1).all())
    (True, True)
    """
    check_instance("model", model, keras.Model, "a keras.Model")
    found = [layer for layer in model._flatten_layers() if has_sampling(layer)]
    before = [layer.sampling for layer in found]
    try:
        for layer in found:
            layer.sampling = True
        recompiled(model)
        yield model
    finally:
        for layer, was in zip(found, before, strict=True):
            layer.sampling = was
        recompiled(model)
