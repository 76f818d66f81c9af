"""SK104: attention dropout that is not tied to the mode."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sukima.auditing.fixing import replace_node
from sukima.auditing.rule import Rule
from sukima.auditing.source.constants import constant_of
from sukima.auditing.source.context import Context
from sukima.auditing.source.gating import is_gated
from sukima.auditing.source.helpers import gated_by_callers, self_of
from sukima.auditing.source.intent import is_demonstration, is_meant, mentions_mode
from sukima.auditing.source.values import argument
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


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """Rates that neither name the mode nor come from a caller that does."""
    module = context.module
    for dotted, calls in context.calls.items():
        where = _ATTENTIONS.get(dotted.rpartition(".")[2])
        if where is None or not dotted.startswith(_HOMES):
            continue
        for call in calls:
            rate = argument(call, *where)
            if rate is None or constant_of(module, rate) in (0, 0.0, None) or mentions_mode(module, rate):
                continue
            if _is_silent(context, call, rate):
                continue
            mode = self_of(context, call)
            text = ast.get_source_segment(module.source.text, rate) if mode else None
            fix = (
                replace_node(rate, f"{text} if {mode}.training else 0.0", safe=True)
                if text and "\n" not in text
                else None
            )
            yield RULE.at(
                module,
                call,
                say(
                    "attention drops at evaluation too: {argument}={rate} does not look at the mode",
                    argument=where[1][0],
                    rate=ast.unparse(rate),
                ),
                site=context.site_of(call),
                fix=fix,
            )


def _is_silent(context: Context, call: ast.Call, rate: ast.expr) -> bool:
    module = context.module
    return (
        is_gated(module, call)
        or is_demonstration(module, call)
        or gated_by_callers(context, call, rate)
        or is_meant(module, call)
    )
