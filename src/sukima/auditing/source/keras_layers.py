"""Keras' classes of layers."""

from __future__ import annotations

from sukima.auditing.source.layer_specs import LayerSpec

__all__ = ["keras_layers"]

_RATE = (0, ("rate",))


def keras_layers() -> dict[str, LayerSpec]:
    """By their canonical dotted name."""
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
    return {f"keras.layers.{n}": spec for n, spec in found.items()}
