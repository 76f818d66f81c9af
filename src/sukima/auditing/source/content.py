"""Whether a model holds layers that behave differently in training and at inference."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Literal

from sukima.auditing.source.project import ClassInfo

if TYPE_CHECKING:
    from sukima.auditing.source.context import Context

__all__ = ["Content", "class_content", "content_of"]

Content = Literal["dropout", "norm", "none", "unknown"]

_DROPS = re.compile(r"[dD]rop(out|_path|Path|Block|_rate|_prob)|\bnn\.Transformer|MultiheadAttention|\bdropout\b")
_NORMS = re.compile(r"BatchNorm|batch_norm|InstanceNorm|RReLU|BatchNormalization")
_DROPPING_LIBRARIES = ("torchvision.models.", "timm.", "transformers.", "segmentation_models_pytorch.")
_MAKES_NO_MODEL = re.compile(
    r"^(torch\.(?!nn\.)|numpy|builtins|pandas|tqdm|argparse|sklearn|torch\.nn\.\w*Loss|torch\.nn\.functional)"
)


def content_of(context: Context, node: ast.expr) -> Content | None:
    """What the model that a call constructs holds; ``None`` if it constructs none."""
    if not isinstance(node, ast.Call):
        return None
    dotted = context.module.dotted(node.func)
    if dotted is None or _MAKES_NO_MODEL.match(dotted):
        return None
    if dotted.startswith(("torch.nn.", "keras.")):
        return _text_content(ast.unparse(node))
    info = context.project.class_at(dotted, context.module)
    if info is not None:
        return class_content(info) if info.framework is not None else None
    if dotted.endswith("from_pretrained"):
        return None
    if dotted.startswith(_DROPPING_LIBRARIES):
        return "norm"
    function = context.project.function_at(dotted, context.module)
    if function is not None:
        return None
    last = dotted.rpartition(".")[2]
    return (
        "unknown"
        if re.search(r"(Net|Model|Classifier|Network)\d*$|^(create|build|get|make)_(model|net)", last)
        else None
    )


def class_content(info: ClassInfo, depth: int = 3) -> Content:
    """What the layers of a class are, through the project's classes that it uses."""
    found: Content = "none"
    for cls in info.mro:
        node = cls.node
        text = "\n".join(line.partition("#")[0] for line in cls.module.source.lines[node.lineno - 1 : node.end_lineno])
        here = _text_content(text)
        if here == "dropout":
            return "dropout"
        found = _stronger(found, here)
        if depth:
            for used in _used_classes(cls):
                found = _stronger(found, class_content(used, depth - 1))
                if found == "dropout":
                    return found
        unknown = [name for name in _constructed(cls) if not name.startswith("torch.")]
        if unknown and found == "none":
            found = "unknown"
    return found if info.known or found != "none" else "unknown"


def _used_classes(info: ClassInfo) -> list[ClassInfo]:
    found = []
    for name in _constructed(info):
        used = info.project.class_at(name, info.module)
        if used is not None and used.node is not info.node and used.framework is not None:
            found.append(used)
    return found


def _constructed(info: ClassInfo) -> set[str]:
    found = set()
    for node in ast.walk(info.node):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            dotted = info.module.dotted(node.func, info.module.scope)
            if dotted and dotted.rpartition(".")[2][:1].isupper():
                found.add(dotted)
    return found


def _text_content(text: str) -> Content:
    if _DROPS.search(text):
        return "dropout"
    return "norm" if _NORMS.search(text) else "none"


def _stronger(a: Content, b: Content) -> Content:
    order: tuple[Content, ...] = ("none", "unknown", "norm", "dropout")
    return max(a, b, key=order.index)
