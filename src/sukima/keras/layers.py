"""What kind of layer a Keras layer is, as far as regularization cares."""

from __future__ import annotations

from typing import Any

import keras

from sukima.keras.alpha import AlphaDropout
from sukima.keras.base import MaskLayer
from sukima.keras.block import DropBlock1D, DropBlock2D, DropBlock3D
from sukima.keras.connect import DropConnect
from sukima.keras.dropout import Dropout
from sukima.keras.gaussian import GaussianDropout
from sukima.keras.locked import LockedDropout
from sukima.keras.path import DropPath
from sukima.keras.recurrent import GRU, LSTM
from sukima.keras.spatial import SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from sukima.records.site import Kind

__all__ = [
    "TWINS",
    "describe",
    "dropout_kind",
    "has_sampling",
    "is_activation",
    "is_batch_norm",
    "is_convolution",
    "is_recurrent",
    "is_weight_layer",
    "rate_attribute",
    "weights_of",
]

kl = keras.layers

TWINS: dict[type, Any] = {
    kl.Dropout: Dropout,
    kl.SpatialDropout1D: SpatialDropout1D,
    kl.SpatialDropout2D: SpatialDropout2D,
    kl.SpatialDropout3D: SpatialDropout3D,
    kl.GaussianDropout: GaussianDropout,
    kl.AlphaDropout: AlphaDropout,
}
"""Keras' layers and ours that take their place with the same configuration."""

_KINDS: tuple[tuple[Any, Kind], ...] = (
    ((kl.AlphaDropout, AlphaDropout), "alpha"),
    ((kl.GaussianDropout, GaussianDropout), "noise"),
    ((kl.SpatialDropout1D, kl.SpatialDropout2D, kl.SpatialDropout3D), "channel"),
    ((SpatialDropout1D, SpatialDropout2D, SpatialDropout3D), "channel"),
    ((DropBlock1D, DropBlock2D, DropBlock3D), "block"),
    (DropPath, "path"),
    (DropConnect, "weight"),
    ((kl.Dropout, Dropout, LockedDropout), "unit"),
    ((LSTM, GRU), "recurrent"),
)

_RECURRENT = (kl.RNN, kl.Bidirectional, kl.ConvLSTM1D, kl.ConvLSTM2D, kl.ConvLSTM3D)
_CONVOLUTIONS = (
    *(kl.Conv1D, kl.Conv2D, kl.Conv3D, kl.Conv1DTranspose, kl.Conv2DTranspose, kl.Conv3DTranspose),
    *(kl.SeparableConv1D, kl.SeparableConv2D, kl.DepthwiseConv1D, kl.DepthwiseConv2D),
)
_MIXING = (kl.Dense, kl.EinsumDense, kl.MultiHeadAttention, kl.GroupQueryAttention)
_ACTIVATIONS = (kl.Activation, kl.ReLU, kl.LeakyReLU, kl.PReLU, kl.ELU)
_NOT_HIDDEN = {"linear", "softmax", "log_softmax"}


def dropout_kind(layer: Any) -> Kind | None:
    """What this layer drops, or ``None`` if it has no dropout whose rate can be set."""
    return next((kind for classes, kind in _KINDS if isinstance(layer, classes)), None)


def rate_attribute(layer: Any) -> str:
    """The attribute that holds the rate of a layer with dropout."""
    return "dropout" if isinstance(layer, LSTM | GRU) else "rate"


def has_sampling(layer: Any) -> bool:
    """Whether it can be told to act at inference."""
    return isinstance(layer, MaskLayer) or hasattr(layer, "sampling")


def is_activation(layer: Any) -> bool:
    """Whether what it gives is a hidden activation: its own, or that of the layer itself."""
    if isinstance(layer, kl.Softmax):
        return False
    function = getattr(layer, "activation", None)
    if isinstance(layer, kl.Activation) or (function is not None and is_weight_layer(layer)):
        return getattr(function, "__name__", "") not in _NOT_HIDDEN and not isinstance(layer, _RECURRENT)
    return isinstance(layer, _ACTIVATIONS)


def is_batch_norm(layer: Any) -> bool:
    """Whether it normalises over the batch."""
    return isinstance(layer, kl.BatchNormalization)


def is_convolution(layer: Any) -> bool:
    """Whether it is a convolution of any dimension, transposed or not."""
    return isinstance(layer, _CONVOLUTIONS)


def is_recurrent(layer: Any) -> bool:
    """Whether it runs over time steps."""
    return isinstance(layer, _RECURRENT)


def is_weight_layer(layer: Any) -> bool:
    """Whether it mixes its inputs with a weight matrix or kernel."""
    return isinstance(layer, (*_CONVOLUTIONS, *_MIXING, *_RECURRENT))


def weights_of(layer: Any) -> list[Any]:
    """The trainable matrices and kernels of a layer: biases and the scales of norms are not penalised."""
    return [variable for variable in layer.trainable_variables if len(variable.shape) >= 2]


def describe(layer: Any) -> str:
    """Short form for people: ``Dense(784, 512)``, ``Conv2D(3, 16)``, ``LSTM``."""
    name = type(layer).__name__
    kernel = getattr(layer, "kernel", None) if is_weight_layer(layer) and layer.built else None
    return f"{name}({kernel.shape[-2]}, {kernel.shape[-1]})" if kernel is not None and len(kernel.shape) > 1 else name
