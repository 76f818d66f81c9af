"""One spelling for a framework's name, whatever path it was imported by."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["canonical"]

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
