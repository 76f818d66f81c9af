"""What functions of the frameworks do, by canonical dotted name; of those that drop, where rate and switch stand."""

from __future__ import annotations

from dataclasses import dataclass

from sukima.auditing.source.words import words
from sukima.records.model_view import Kind

__all__ = ["FUNCTIONS", "ModeSpec", "mode_spec"]


@dataclass(frozen=True)
class ModeSpec:
    """A function that drops: where its rate and its training switch stand, and the switch's default."""

    rate: int
    rate_names: tuple[str, ...]
    training: int | None
    training_names: tuple[str, ...]
    default: bool | None
    kind: Kind = "dropout"


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


def mode_spec(dotted: str | None) -> ModeSpec | None:
    """The switch of a function that drops, if ``dotted`` names one."""
    return _MODES.get(dotted) if dotted else None
