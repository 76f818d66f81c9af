"""torch's classes of layers."""

from __future__ import annotations

from sukima.auditing.source.layer_specs import LayerSpec
from sukima.auditing.source.words import words

__all__ = ["torch_layers"]

_P = (0, ("p",))


def torch_layers() -> dict[str, LayerSpec]:
    """By their canonical dotted name."""
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
    return {f"torch.nn.{n}": spec for n, spec in found.items()}
