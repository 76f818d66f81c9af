"""SK104: attention dropout that is not tied to the mode."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from sukima.auditing.fixing import replace_node
from sukima.auditing.rule import Rule
from sukima.auditing.source.caller_gating import gated_by_callers
from sukima.auditing.source.constants import constant_of
from sukima.auditing.source.context import Context
from sukima.auditing.source.gating import is_gated
from sukima.auditing.source.helpers import self_of
from sukima.auditing.source.intent import is_demonstration, is_meant, mentions_mode, name_of
from sukima.auditing.source.values import Instance, LayerValue, argument
from sukima.base.messages import say
from sukima.records.finding import Finding

__all__ = ["RULE"]

RULE = Rule(
    code="SK104",
    slug="attention-dropout-always-on",
    why=(
        "Fused attention functions drop with the given probability whatever the model's mode is. A constant "
        "there stays on at evaluation."
    ),
    remedy="Pass dropout_p=self.p if self.training else 0.0.",
    bad="""
import torch.nn as nn
import torch.nn.functional as F

class Attention(nn.Module):
    def forward(self, q, k, v):
        return F.scaled_dot_product_attention(q, k, v, dropout_p=0.1)
""",
    good="""
import torch.nn as nn
import torch.nn.functional as F

class Attention(nn.Module):
    def forward(self, q, k, v):
        return F.scaled_dot_product_attention(q, k, v, dropout_p=0.1 if self.training else 0.0)
""",
    references=(
        "https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html",
    ),
)

# Where the rate stands, and under which names.
_ATTENTIONS: dict[str, tuple[int, tuple[str, ...]]] = {
    "scaled_dot_product_attention": (4, ("dropout_p",)),
    "flash_attn_func": (3, ("dropout_p",)),
    "flash_attn_qkvpacked_func": (1, ("dropout_p",)),
    "flash_attn_kvpacked_func": (2, ("dropout_p",)),
    "flash_attn_varlen_func": (7, ("dropout_p",)),
    "flash_attn_varlen_qkvpacked_func": (3, ("dropout_p",)),
    "flash_attn_varlen_kvpacked_func": (6, ("dropout_p",)),
    "memory_efficient_attention": (4, ("p",)),
}
_HOMES = ("torch.", "flash_attn", "xformers", "fa.")


_ATTENTION = re.compile(r"attn|attention|sdpa", re.IGNORECASE)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """Rates that neither name the mode nor come from a caller that does."""
    for dotted, calls in context.calls.items():
        where = _ATTENTIONS.get(dotted.rpartition(".")[2])
        if where is not None and dotted.startswith(_HOMES):
            for call in calls:
                rate = argument(call, *where)
                if rate is not None:
                    yield from _judged(context, call, where[1][0], rate)


@RULE.source
def check_chosen(context: Context) -> Iterator[Finding]:
    """The same through a function that a module chose for itself: ``self._attention(q, k, v, dropout_p=self.rate)``."""
    if "dropout_p" not in context.module.source.text:
        return
    for name, calls in context.calls_by_name.items():
        if not _ATTENTION.search(name):
            continue
        for call in calls:
            rate = next((k.value for k in call.keywords if k.arg == "dropout_p"), None)
            if isinstance(rate, ast.Attribute) and _is_chosen(context, call) and self_of(context, call):
                yield from _judged(context, call, "dropout_p", rate)


def _is_chosen(context: Context, call: ast.Call) -> bool:
    """Whether what is called is an attribute of the object that no method of its class defines."""
    func = call.func
    owner = context.module.class_of(call)
    if owner is None or not isinstance(func, ast.Attribute) or name_of(func.value) != "self":
        return False
    info = context.project.info(owner, context.module)
    made = context.instance(info)
    held = made.attributes.get(func.attr) if made is not None else None
    return info.known and info.method(func.attr) is None and not isinstance(held, Instance | LayerValue)


def _judged(context: Context, call: ast.Call, name: str, rate: ast.expr) -> Iterator[Finding]:
    module = context.module
    if constant_of(module, rate) in (0, 0.0, None) or mentions_mode(module, rate) or _is_silent(context, call, rate):
        return
    mode = self_of(context, call)
    text = ast.get_source_segment(module.source.text, rate) if mode else None
    fix = replace_node(rate, f"{text} if {mode}.training else 0.0", safe=True) if text and "\n" not in text else None
    message = say(
        "attention drops at evaluation too: {argument}={rate} does not look at the mode",
        argument=name,
        rate=ast.unparse(rate),
    )
    yield RULE.at(module, call, message, site=context.site_of(call), fix=fix)


def _is_silent(context: Context, call: ast.Call, rate: ast.expr) -> bool:
    module = context.module
    return (
        is_gated(module, call)
        or is_demonstration(module, call)
        or gated_by_callers(context, call, rate)
        or is_meant(module, call)
    )
