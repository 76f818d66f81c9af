"""What kind of layer a torch module is, as far as regularization cares."""

from __future__ import annotations

from torch import nn
from torch.nn.modules import activation, batchnorm, conv, dropout

from sukima.records.site import Kind
from sukima.torch.alpha import AlphaDropout
from sukima.torch.attention import AttentionDropout, HeadDropout
from sukima.torch.block import DropBlock1d, DropBlock2d, DropBlock3d
from sukima.torch.channel import Dropout1d, Dropout2d, Dropout3d
from sukima.torch.concrete import ConcreteDropout
from sukima.torch.connect import DropConnect
from sukima.torch.corruption import Corruption
from sukima.torch.dropout import Dropout
from sukima.torch.gaussian import GaussianDropout
from sukima.torch.held import held_rates, sole_rate
from sukima.torch.layer_drop import LayerDrop
from sukima.torch.locked import LockedDropout
from sukima.torch.multi_sample import MultiSampleDropout
from sukima.torch.path import DropPath
from sukima.torch.rated import RatedModule
from sukima.torch.recurrent import GRU, LSTM
from sukima.torch.shaped import ShapedDropout
from sukima.torch.tokens import Embedding, TokenDropout, WordDropout

__all__ = [
    "describe",
    "dropout_kind",
    "has_dropout",
    "has_weights",
    "is_activation",
    "is_batch_norm",
    "is_convolution",
    "is_weight_layer",
    "rate_attribute",
]

_DROPOUT_KINDS: tuple[tuple[type[nn.Module], Kind], ...] = (
    (nn.AlphaDropout, "alpha"),
    (nn.FeatureAlphaDropout, "alpha"),
    (nn.Dropout1d, "channel"),
    (nn.Dropout2d, "channel"),
    (nn.Dropout3d, "channel"),
    (Dropout1d, "channel"),
    (Dropout2d, "channel"),
    (Dropout3d, "channel"),
    (dropout._DropoutNd, "unit"),
    (Dropout, "unit"),
    (AlphaDropout, "alpha"),
    (GaussianDropout, "noise"),
    (Corruption, "noise"),
    (ShapedDropout, "unit"),
    (LockedDropout, "unit"),
    (MultiSampleDropout, "unit"),
    (TokenDropout, "token"),
    (WordDropout, "token"),
    (Embedding, "token"),
    (DropBlock1d, "block"),
    (DropBlock2d, "block"),
    (DropBlock3d, "block"),
    (DropPath, "path"),
    (HeadDropout, "head"),
    (LayerDrop, "layer"),
    (DropConnect, "weight"),
    (AttentionDropout, "attention"),
    (nn.MultiheadAttention, "attention"),
    (nn.RNNBase, "recurrent"),
)

_NOT_HIDDEN = (nn.Softmax, nn.Softmax2d, nn.LogSoftmax, nn.Softmin, nn.MultiheadAttention)


def dropout_kind(module: nn.Module) -> Kind | None:
    """What this module drops, or ``None`` if it has no dropout of its own."""
    if isinstance(module, nn.RNNBase) and module.num_layers < 2:
        return None  # torch drops between layers only, so a single layer has no such place
    known = next((kind for cls, kind in _DROPOUT_KINDS if isinstance(module, cls)), None)
    if known is None and (sole := sole_rate(module)) is not None:
        return sole.kind
    return known


def has_dropout(module: nn.Module) -> bool:
    """Whether its own forward drops anything in training mode, at a rate that can be set or not."""
    ours = isinstance(module, RatedModule | ConcreteDropout | LSTM | GRU)
    return ours or dropout_kind(module) is not None or bool(held_rates(module))


def rate_attribute(module: nn.Module) -> str:
    """The attribute that holds the rate of a module with dropout."""
    if isinstance(module, nn.MultiheadAttention | nn.RNNBase):
        return "dropout"
    sole = None if hasattr(module, "p") else sole_rate(module)
    return "p" if sole is None else sole.attribute


def is_activation(module: nn.Module) -> bool:
    """Whether it is one of torch's activations for hidden layers (softmax and its kin are not)."""
    return type(module).__module__ == activation.__name__ and not isinstance(module, _NOT_HIDDEN)


def is_batch_norm(module: nn.Module) -> bool:
    """Whether it normalises over the batch."""
    return isinstance(module, batchnorm._BatchNorm)


def is_convolution(module: nn.Module) -> bool:
    """Whether it is a convolution of any dimension, transposed or not."""
    return isinstance(module, conv._ConvNd)


def is_weight_layer(module: nn.Module) -> bool:
    """Whether it mixes its inputs with a weight matrix or kernel."""
    return is_convolution(module) or isinstance(
        module, nn.Linear | nn.Bilinear | nn.RNNBase | nn.RNNCellBase | nn.MultiheadAttention
    )


def has_weights(module: nn.Module) -> bool:
    """As `is_weight_layer`, and layers of others' making with a matrix or kernel, such as GPT-2's ``Conv1D``."""
    weight = getattr(module, "weight", None)
    theirs = isinstance(weight, nn.Parameter) and weight.ndim > 1 and not isinstance(module, nn.Embedding)
    return is_weight_layer(module) or (theirs and not any(True for _ in module.children()))


def describe(module: nn.Module) -> str:
    """Short form for people: ``Linear(784, 512)``, ``Conv2d(3, 16)``, ``LSTM``."""
    name = type(module).__name__
    for first, last in (
        ("in_features", "out_features"),
        ("in_channels", "out_channels"),
        ("input_size", "hidden_size"),
    ):
        if hasattr(module, first) and hasattr(module, last):
            return f"{name}({getattr(module, first)}, {getattr(module, last)})"
    return name
