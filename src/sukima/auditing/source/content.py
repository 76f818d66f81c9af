"""Whether a model holds layers that behave differently in training and at inference."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Literal

from sukima.auditing.source.classes import ClassInfo

if TYPE_CHECKING:
    from sukima.auditing.source.context import Context

__all__ = ["Content", "class_content", "content_of"]

# ``unknown``: the class is at hand but not all that it is made of; ``unseen``: not even the class is.
Content = Literal["dropout", "norm", "none", "unknown", "unseen"]

_DROPS = re.compile(r"[dD]rop(out|_path|Path|Block|_rate|_prob)|\bnn\.Transformer|MultiheadAttention|\bdropout\b")
_NORMS = re.compile(r"BatchNorm|batch_norm|track_running_stats=True|RReLU|BatchNormalization")
_DROPPING_LIBRARIES = ("torchvision.models.", "timm.", "segmentation_models_pytorch.")
_MAKES_NO_MODEL = re.compile(
    r"^(torch\.(?!nn\.|load$|jit\.load$)|numpy|builtins|pandas|tqdm|argparse|sklearn|torch\.nn\.\w*Loss|"
    r"torch\.nn\.functional)"
)
_NAMED_MODEL = re.compile(r"(Net|Model|Classifier|Network)\d*$|^(create|build|get|make)_(model|net)")
# Layers of these libraries drop nothing unless their arguments say so, which the text shows.
_FAMILIAR = ("torch.", "keras.", "tensorflow.", "torch_geometric.", "dgl.", "einops.", "math.", "collections.")
_ORDER: tuple[Content, ...] = ("none", "unseen", "unknown", "norm", "dropout")


def content_of(context: Context, node: ast.expr) -> Content | None:
    """What the model that a call constructs holds; ``None`` if it constructs none."""
    if not isinstance(node, ast.Call):
        return None
    dotted = context.module.dotted(node.func)
    if dotted is None or _MAKES_NO_MODEL.match(dotted):
        return None
    if dotted in {"torch.load", "torch.jit.load"} or dotted.endswith("from_pretrained"):
        return "unseen"
    if dotted.startswith(("torch.nn.", "keras.")):
        return _text_content(ast.unparse(node))
    at_top = context.module.function_of(node) is None
    info = context.project.class_at(dotted, context.module, before=node.lineno if at_top else None)
    if info is not None:
        return class_content(info) if info.framework is not None else None
    if dotted.startswith(_DROPPING_LIBRARIES):
        return "norm"
    if context.project.function_at(dotted, context.module) is not None:
        return _factory_content(context, dotted)
    return "unseen" if _NAMED_MODEL.search(dotted.rpartition(".")[2]) else None


def _factory_content(context: Context, dotted: str) -> Content | None:
    """What a function makes: of several models, only what all of them hold is certain."""
    found = context.project.function_at(dotted, context.module)
    assert found is not None
    module, function = found
    contents = set()
    for call in module.below(function):
        name = module.dotted(call.func) if isinstance(call, ast.Call) else None
        info = context.project.class_at(name, module) if name else None
        if info is not None and info.framework is not None:
            contents.add(class_content(info))
    if "dropout" in contents:
        return "dropout" if contents == {"dropout"} else "norm"
    return max(contents, key=_ORDER.index, default=None)


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
        names = _constructed(cls)
        if depth:
            for used in _used_classes(cls, names):
                found = _stronger(found, class_content(used, depth - 1))
                if found == "dropout":
                    return found
        if found == "none" and any(_is_strange(cls, name) for name in names):
            found = "unknown"
    return found if info.known or found != "none" else "unknown"


def _used_classes(info: ClassInfo, names: set[str]) -> list[ClassInfo]:
    found = []
    for name in names:
        used = info.project.class_at(name, info.module)
        if used is not None and used.node is not info.node and used.framework is not None:
            found.append(used)
    return found


def _is_strange(info: ClassInfo, name: str) -> bool:
    return not name.startswith(_FAMILIAR) and info.project.class_at(name, info.module) is None


def _constructed(info: ClassInfo) -> set[str]:
    found = set()
    for node in info.module.below(info.node):
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
    return max(a, b, key=_ORDER.index)
