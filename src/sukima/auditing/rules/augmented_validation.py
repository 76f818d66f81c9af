"""SK236: augmentation applied to validation data."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from sukima.auditing.rule import Rule
from sukima.auditing.source.context import Context
from sukima.auditing.source.intent import name_of
from sukima.base.messages import say
from sukima.records.finding import Finding

__all__ = ["RULE"]

RULE = Rule(
    code="SK236",
    slug="augmented-validation",
    why=(
        "Random flips and crops on validation or test data make the measure noisy and too low; the gap then "
        "says nothing about overfitting."
    ),
    remedy="Give the validation and test data a transform without random parts.",
    bad="""
from torchvision import datasets, transforms

augment = transforms.Compose([transforms.RandomHorizontalFlip(), transforms.ToTensor()])
plain = transforms.Compose([transforms.ToTensor()])
train_set = datasets.CIFAR10("data", train=True, transform=augment)
test_set = datasets.CIFAR10("data", train=False, transform=augment)
""",
    good="""
from torchvision import datasets, transforms

augment = transforms.Compose([transforms.RandomHorizontalFlip(), transforms.ToTensor()])
plain = transforms.Compose([transforms.ToTensor()])
train_set = datasets.CIFAR10("data", train=True, transform=augment)
test_set = datasets.CIFAR10("data", train=False, transform=plain)
""",
)

_RANDOM = re.compile(
    r"\b(Random(?!Sampler|State|Split|Generator)\w+|ColorJitter|AutoAugment|RandAugment|TrivialAugmentWide|AugMix|"
    r"GaussianBlur)\("
)
_HELD_OUT = re.compile(r"(^|_)(val|valid|validation|test|dev|eval)(_|$|set|data|loader|gen|ds)", re.IGNORECASE)
_KERAS = ("rotation_range", "width_shift_range", "height_shift_range", "zoom_range", "horizontal_flip", "shear_range")


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """Data sets for validation or test, by name or train=False, with a random transform; Keras' generators."""
    module = context.module
    for call in module.calls:
        transform = next((k.value for k in call.keywords if k.arg in {"transform", "transforms"}), None)
        if transform is not None and _is_held_out(context, call) and _is_random(context, transform):
            yield RULE.at(module, call, say("random augmentation on data that is held out"))
    for call in context.calls_by_name.get("ImageDataGenerator", []):
        random = [
            k.arg
            for k in call.keywords
            if k.arg in _KERAS and not (isinstance(k.value, ast.Constant) and not k.value.value)
        ]
        if (
            random
            and _is_held_out(context, call)
            and not any("train" in name_of(t).lower() for t in _targets(context, call))
        ):
            yield RULE.at(
                module,
                call,
                say("random augmentation ({what}) on data that is held out", what=", ".join(filter(None, random))),
            )


def _targets(context: Context, call: ast.Call) -> list[ast.expr]:
    parent = context.module.parents.get(call)
    return parent.targets if isinstance(parent, ast.Assign) else []


def _is_held_out(context: Context, call: ast.Call) -> bool:
    for keyword in call.keywords:
        if keyword.arg == "train" and isinstance(keyword.value, ast.Constant):
            return keyword.value.value is False
        if keyword.arg == "split" and isinstance(keyword.value, ast.Constant):
            return str(keyword.value.value) in {"val", "valid", "validation", "test"}
    return any(_HELD_OUT.search(name_of(t)) for t in _targets(context, call))


def _is_random(context: Context, node: ast.expr, depth: int = 2) -> bool:
    if isinstance(node, ast.Name) and depth:
        bound = [b for b in context.module.lookup(node.id, context.module.scope_of(node)) if isinstance(b, ast.expr)]
        return len(bound) == 1 and _is_random(context, bound[0], depth - 1)
    text = ast.unparse(node)
    return isinstance(node, ast.Call | ast.List) and _RANDOM.search(text) is not None and "p=0)" not in text
