"""What the names of the frameworks mean: layers and functions by their canonical dotted name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from sukima.auditing.source.words import words
from sukima.records.model_view import Kind

__all__ = ["FUNCTIONS", "LAYERS", "LayerSpec", "ModeSpec", "canonical", "mode_spec"]


@dataclass(frozen=True)
class LayerSpec:
    """A layer class: its kind, and which arguments (position, names) give its rate and its width."""

    framework: str
    kind: Kind
    rate: tuple[int, tuple[str, ...]] | None = None
    width: tuple[int, tuple[str, ...]] | None = None
    fan_in: int | None = None
    rank: int | None = None


@dataclass(frozen=True)
class ModeSpec:
    """A function that drops: where its rate and its training switch stand, and the switch's default."""

    rate: int
    rate_names: tuple[str, ...]
    training: int | None
    training_names: tuple[str, ...]
    default: bool | None
    kind: Kind = "dropout"


_TORCH = "torch.nn."
_KERAS = "keras.layers."
_P = (0, ("p",))
_RATE = (0, ("rate",))


def _torch() -> dict[str, LayerSpec]:
    found = {n: LayerSpec("torch", "dropout", _P) for n in ("Dropout", "AlphaDropout", "GaussianDropout")}
    for n, rank in (("Dropout1d", 3), ("Dropout2d", 4), ("Dropout3d", 5), ("FeatureAlphaDropout", None)):
        found[n] = LayerSpec("torch", "channel_dropout", _P, rank=rank)
    found["Linear"] = LayerSpec("torch", "linear", width=(1, ("out_features",)), fan_in=0)
    found["LazyLinear"] = LayerSpec("torch", "linear", width=(0, ("out_features",)))
    found["Bilinear"] = LayerSpec("torch", "linear", width=(2, ("out_features",)))
    for d in (1, 2, 3):
        for n in (f"Conv{d}d", f"ConvTranspose{d}d"):
            found[n] = LayerSpec("torch", "conv", width=(1, ("out_channels",)), fan_in=0, rank=d + 2)
            found[f"Lazy{n}"] = LayerSpec("torch", "conv", width=(0, ("out_channels",)), rank=d + 2)
        for n in (f"BatchNorm{d}d", f"LazyBatchNorm{d}d"):
            found[n] = LayerSpec("torch", "batch_norm", rank=None if d == 1 else d + 2)
        found[f"InstanceNorm{d}d"] = LayerSpec("torch", "norm", rank=d + 2)
        for n in ("MaxPool", "AvgPool", "AdaptiveAvgPool", "AdaptiveMaxPool", "LPPool"):
            found[f"{n}{d}d"] = LayerSpec("torch", "pool", rank=d + 2)
    found["SyncBatchNorm"] = LayerSpec("torch", "batch_norm")
    for n in ("LayerNorm", "RMSNorm", "GroupNorm", "LocalResponseNorm"):
        found[n] = LayerSpec("torch", "norm")
    for n in ("Softmax", "LogSoftmax", "Softmax2d", "Softmin"):
        found[n] = LayerSpec("torch", "softmax")
    for n in ("Sigmoid", "LogSigmoid"):
        found[n] = LayerSpec("torch", "sigmoid")
    for n in words(
        """
        ReLU ReLU6 LeakyReLU PReLU ELU SELU CELU GELU SiLU Mish Tanh Hardtanh Hardswish Hardsigmoid
        Softplus Softsign Tanhshrink GLU RReLU Threshold
        """
    ):
        found[n] = LayerSpec("torch", "activation")
    for n in ("RNN", "LSTM", "GRU"):
        found[n] = LayerSpec("torch", "recurrent", rate=(99, ("dropout",)), width=(1, ("hidden_size",)))
    for n in ("LSTMCell", "GRUCell", "RNNCell"):
        found[n] = LayerSpec("torch", "recurrent", width=(1, ("hidden_size",)))
    for n in ("Embedding", "EmbeddingBag"):
        found[n] = LayerSpec("torch", "embedding", width=(1, ("embedding_dim",)))
    for n in (
        "MultiheadAttention",
        "TransformerEncoderLayer",
        "TransformerDecoderLayer",
        "TransformerEncoder",
        "TransformerDecoder",
        "Transformer",
    ):
        found[n] = LayerSpec("torch", "attention")
    found["Flatten"] = LayerSpec("torch", "flatten", rank=2)
    for n in (
        "Unflatten",
        "PixelShuffle",
        "PixelUnshuffle",
        "Upsample",
        "UpsamplingBilinear2d",
        "ZeroPad2d",
        "ReflectionPad2d",
        "ConstantPad1d",
    ):
        found[n] = LayerSpec("torch", "shape")
    found["Identity"] = LayerSpec("torch", "identity")
    for n in ("CosineSimilarity", "PairwiseDistance"):
        found[n] = LayerSpec("torch", "distance")
    for n in (
        "CrossEntropyLoss",
        "NLLLoss",
        "MSELoss",
        "BCELoss",
        "BCEWithLogitsLoss",
        "L1Loss",
        "SmoothL1Loss",
        "TripletMarginLoss",
        "CosineEmbeddingLoss",
        "KLDivLoss",
        "MultiLabelSoftMarginLoss",
        "HuberLoss",
    ):
        found[n] = LayerSpec("torch", "loss")
    return {_TORCH + n: spec for n, spec in found.items()}


def _keras() -> dict[str, LayerSpec]:
    found = {n: LayerSpec("keras", "dropout", _RATE) for n in ("Dropout", "AlphaDropout", "GaussianDropout")}
    for d in (1, 2, 3):
        found[f"SpatialDropout{d}D"] = LayerSpec("keras", "channel_dropout", _RATE, rank=d + 2)
        for n in (f"Conv{d}D", f"Conv{d}DTranspose", f"SeparableConv{d}D", f"Convolution{d}D"):
            found[n] = LayerSpec("keras", "conv", width=(0, ("filters",)), rank=d + 2)
        found[f"DepthwiseConv{d}D"] = LayerSpec("keras", "conv", rank=d + 2)
        for n in ("MaxPooling", "AveragePooling", "MaxPool", "AvgPool"):
            found[f"{n}{d}D"] = LayerSpec("keras", "pool", rank=d + 2)
        for n in ("GlobalMaxPooling", "GlobalAveragePooling", "GlobalMaxPool", "GlobalAvgPool"):
            found[f"{n}{d}D"] = LayerSpec("keras", "pool", rank=2)
        for n in (f"UpSampling{d}D", f"ZeroPadding{d}D", f"Cropping{d}D"):
            found[n] = LayerSpec("keras", "shape", rank=d + 2)
    found["Dense"] = LayerSpec("keras", "linear", width=(0, ("units",)))
    found["EinsumDense"] = LayerSpec("keras", "linear")
    found["BatchNormalization"] = LayerSpec("keras", "batch_norm")
    for n in ("LayerNormalization", "GroupNormalization", "UnitNormalization", "RMSNormalization"):
        found[n] = LayerSpec("keras", "norm")
    found["Softmax"] = LayerSpec("keras", "softmax")
    for n in ("ReLU", "LeakyReLU", "PReLU", "ELU", "ThresholdedReLU", "Activation"):
        found[n] = LayerSpec("keras", "activation")
    for n in ("LSTM", "GRU", "SimpleRNN", "Bidirectional", "RNN", "LSTMCell", "GRUCell", "ConvLSTM2D", "CuDNNLSTM"):
        found[n] = LayerSpec("keras", "recurrent", width=(0, ("units",)))
    found["Embedding"] = LayerSpec("keras", "embedding", width=(1, ("output_dim",)))
    for n in ("MultiHeadAttention", "Attention", "AdditiveAttention", "GroupedQueryAttention"):
        found[n] = LayerSpec("keras", "attention")
    found["Flatten"] = LayerSpec("keras", "flatten", rank=2)
    for n in ("Reshape", "Permute", "RepeatVector", "Masking", "Cropping2D"):
        found[n] = LayerSpec("keras", "shape")
    for n in ("Add", "Concatenate", "Multiply", "Average", "Maximum", "Subtract", "Dot"):
        found[n] = LayerSpec("keras", "join")
    for n in ("Rescaling", "Normalization"):
        found[n] = LayerSpec("keras", "scaling")
    for n in (
        "RandomFlip",
        "RandomRotation",
        "RandomZoom",
        "RandomCrop",
        "RandomContrast",
        "RandomTranslation",
        "RandomBrightness",
    ):
        found[n] = LayerSpec("keras", "augmentation")
    for n in ("Lambda", "TimeDistributed", "GaussianNoise", "ActivityRegularization"):
        found[n] = LayerSpec("keras", "other")
    return {_KERAS + n: spec for n, spec in found.items()}


LAYERS: dict[str, LayerSpec] = {
    **_torch(),
    **_keras(),
    "timm.layers.DropPath": LayerSpec("torch", "path_dropout", (0, ("drop_prob",))),
    "torchvision.ops.StochasticDepth": LayerSpec("torch", "path_dropout", _P),
    "torchvision.ops.DropBlock2d": LayerSpec("torch", "channel_dropout", _P, rank=4),
}

_F = "torch.nn.functional."
FUNCTIONS: dict[str, Kind] = {
    **{_F + n: "dropout" for n in ("dropout", "alpha_dropout")},
    **{_F + n: "channel_dropout" for n in ("dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout")},
    **{_F + n: "softmax" for n in ("softmax", "log_softmax", "gumbel_softmax")},
    **{f"torch.{n}": "softmax" for n in ("softmax", "log_softmax")},
    **{_F + n: "sigmoid" for n in ("sigmoid", "logsigmoid")},
    "torch.sigmoid": "sigmoid",
    **{
        _F + n: "activation"
        for n in words("relu relu6 leaky_relu elu selu gelu silu tanh mish hardswish softplus relu_ glu prelu")
    },
    **{f"torch.{n}": "activation" for n in ("relu", "tanh", "relu_")},
    **{_F + n: "linear" for n in ("linear",)},
    **{_F + n: "conv" for n in ("conv1d", "conv2d", "conv3d")},
    _F + "batch_norm": "batch_norm",
    **{_F + n: "norm" for n in ("layer_norm", "group_norm", "instance_norm", "rms_norm")},
    **{
        _F + f"{n}{d}d": "pool"
        for d in (1, 2, 3)
        for n in ("max_pool", "avg_pool", "adaptive_avg_pool", "adaptive_max_pool")
    },
    **{_F + n: "shape" for n in ("pad", "interpolate", "unfold", "pixel_shuffle")},
    **{
        f"torch.{n}": "shape"
        for n in words("reshape squeeze unsqueeze transpose permute clone swapaxes movedim roll flip")
    },
    "torch.flatten": "flatten",
    **{f"torch.{n}": "join" for n in ("cat", "concat", "stack", "add", "hstack", "vstack", "concatenate")},
    **{f"torch.{n}": "matmul" for n in ("matmul", "bmm", "einsum", "mm", "baddbmm")},
    **{f"torch.{n}": "pool" for n in ("mean", "sum", "max", "amax")},
    **{_F + n: "distance" for n in ("normalize", "cosine_similarity", "pairwise_distance")},
    "torch.cdist": "distance",
    _F + "scaled_dot_product_attention": "attention",
    **{
        _F + n: "loss"
        for n in words(
            """
        cross_entropy nll_loss mse_loss binary_cross_entropy binary_cross_entropy_with_logits l1_loss
        triplet_margin_loss cosine_embedding_loss kl_div smooth_l1_loss
        """
        )
    },
    "tensorflow.nn.dropout": "dropout",
    "tensorflow.nn.softmax": "softmax",
    "keras.activations.softmax": "softmax",
    "keras.ops.softmax": "softmax",
    "tensorflow.nn.sigmoid": "sigmoid",
    "tensorflow.sigmoid": "sigmoid",
    "keras.activations.sigmoid": "sigmoid",
    "tensorflow.nn.relu": "activation",
    "keras.activations.relu": "activation",
    "keras.ops.relu": "activation",
    "tensorflow.nn.l2_normalize": "distance",
    "tensorflow.math.l2_normalize": "distance",
    "tensorflow.reshape": "shape",
    "keras.ops.reshape": "shape",
    "tensorflow.transpose": "shape",
    "tensorflow.squeeze": "shape",
    "tensorflow.expand_dims": "shape",
    "tensorflow.matmul": "matmul",
    "keras.ops.matmul": "matmul",
    "tensorflow.concat": "join",
    "tensorflow.add": "join",
    "keras.ops.concatenate": "join",
    **{f"keras.layers.{n}": "join" for n in ("add", "concatenate", "multiply", "average", "maximum", "dot")},
    "tensorflow.reduce_mean": "pool",
    "keras.ops.mean": "pool",
}

_FD = ("training",)
_MODES: dict[str, ModeSpec] = {
    **{_F + n: ModeSpec(1, ("p",), 2, _FD, True) for n in ("dropout",)},
    **{_F + n: ModeSpec(1, ("p",), 2, _FD, True, "channel_dropout") for n in ("dropout1d", "dropout2d", "dropout3d")},
    _F + "alpha_dropout": ModeSpec(1, ("p",), 2, _FD, False),
    _F + "feature_alpha_dropout": ModeSpec(1, ("p",), 2, _FD, False, "channel_dropout"),
    **{
        f"torch.{n}": ModeSpec(1, ("p",), 2, ("train",), None)
        for n in words(
            """
        dropout dropout_ alpha_dropout alpha_dropout_ feature_dropout feature_dropout_
        feature_alpha_dropout feature_alpha_dropout_ native_dropout
        """
        )
    },
    "torchvision.ops.stochastic_depth": ModeSpec(1, ("p",), 3, _FD, True, "path_dropout"),
    "torchvision.ops.drop_block2d": ModeSpec(1, ("p",), 5, _FD, True, "channel_dropout"),
    "torchvision.ops.drop_block3d": ModeSpec(1, ("p",), 5, _FD, True, "channel_dropout"),
    "timm.layers.drop_path": ModeSpec(1, ("drop_prob",), 2, _FD, False, "path_dropout"),
    **{
        f"torch_geometric.utils.{n}": ModeSpec(1, ("p",), None, _FD, True, "other")
        for n in ("dropout_edge", "dropout_adj", "dropout_node", "dropout_path", "mask_feature")
    },
    "tensorflow.layers.dropout": ModeSpec(1, ("rate",), 4, _FD, False),
    "tensorflow.nn.dropout": ModeSpec(1, ("rate",), None, (), True),
    "tensorflow.nn.experimental.stateless_dropout": ModeSpec(1, ("rate",), None, (), True),
}

_PREFIXES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), put)
    for pattern, put in (
        (r"^tensorflow\.(?:python\.|_api\.v2\.|compat\.v[12]\.)?keras\.", "keras."),
        (r"^tensorflow\.compat\.v[12]\.", "tensorflow."),
        (r"^(?:keras\.src|keras\.api|tf_keras|tf_keras\.src|keras_core)\.", "keras."),
        (
            r"^keras\.(?:models|engine\.sequential|models\.sequential|engine\.training|models\.model)\.(?=Sequential$|Model$|Functional$)",
            "keras.",
        ),
        (r"^keras\.(?:engine|legacy)\.(?=Input$|Layer$)", "keras."),
        (r"^keras\.layers\.(?:[a-z_0-9]+\.)+(?=[A-Z])", "keras.layers."),
        (r"^keras\.backend\.", "keras.backend."),
        (r"^torch\.nn\.modules\.(?:[a-z_]+\.)?(?=[A-Z])", "torch.nn."),
        (r"^sukima\.torch\.(?=[A-Z])", "torch.nn."),
        (r"^sukima\.torch\.functional\.", "torch.nn.functional."),
        (r"^sukima\.keras\.(?=[A-Z])", "keras.layers."),
        (r"^(?:timm\.models\.layers|timm\.layers)(?:\.[a-z_]+)?\.(?=DropPath$|drop_path$)", "timm.layers."),
        (r"^torchvision\.ops\.[a-z_]+\.(?=[A-Za-z_0-9]+$)", "torchvision.ops."),
        (r"^torch_geometric\.utils\.[a-z_]+\.(?=dropout|mask_feature)", "torch_geometric.utils."),
        (r"^(?:pytorch_lightning|lightning\.pytorch|lightning_fabric|lightning\.fabric)(?=\.|$)", "lightning"),
        (r"^torch\.functional\.", "torch."),
    )
)


@lru_cache(maxsize=65536)
def canonical(dotted: str) -> str:
    """One spelling for all the paths under which a framework's name can be imported."""
    for pattern, put in _PREFIXES:
        dotted = pattern.sub(put, dotted, count=1)
    return dotted


def mode_spec(dotted: str | None) -> ModeSpec | None:
    """The switch of a function that drops, if ``dotted`` names one."""
    return _MODES.get(dotted) if dotted else None
