"""Fixes keep formatting and comments, mend what they claim, and are done after one round."""

from pathlib import Path

import pytest

from sukima.auditing.engine import audit_files
from sukima.auditing.fixing import fixed_text
from sukima.auditing.registry import all_rules

HEAD = "import torch.nn as nn\nimport torch.nn.functional as F\nclass Net(nn.Module):\n"
CASES = [
    ("return F.dropout(x, 0.5)", "return F.dropout(x, 0.5, training=self.training)"),
    ("return F.dropout(x, p=(0.5))  # why", "return F.dropout(x, p=(0.5), training=self.training)  # why"),
    ("return F.dropout(x, 0.5,)", "return F.dropout(x, 0.5, training=self.training,)"),
    ("return F.dropout(F.relu(x))", "return F.dropout(F.relu(x), training=self.training)"),
    (
        "return F.dropout(\n            x,\n            p=0.5,  # 隙間\n        )",
        "return F.dropout(\n            x,\n            p=0.5, training=self.training,  # 隙間\n        )",
    ),
    ("return F.alpha_dropout(x)", "return F.alpha_dropout(x, training=self.training)"),
    (
        "return F.scaled_dot_product_attention(x, x, x, dropout_p=0.1)",
        "return F.scaled_dot_product_attention(x, x, x, dropout_p=0.1 if self.training else 0.0)",
    ),
]  # fmt: skip


def mend(path: Path, text: str, *, unsafe: bool = False) -> str:
    path.write_bytes(text.encode())
    return fixed_text(text, audit_files([path]).findings, unsafe=unsafe)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(("before", "after"), CASES)
def test_safe_fixes(before: str, after: str, newline: str, tmp_path: Path) -> None:
    start = f"{HEAD}    def forward(self, x):\n        {before}\n".replace("\n", newline)
    wanted = f"{HEAD}    def forward(self, x):\n        {after}\n".replace("\n", newline)
    once = mend(tmp_path / "a.py", start)
    assert once == wanted
    assert mend(tmp_path / "a.py", once) == once


@pytest.mark.parametrize("code", sorted(all_rules()))
def test_no_fix_breaks_or_returns(code: str, tmp_path: Path) -> None:
    rule = all_rules()[code]
    if not (rule.source_checks or rule.view_checks):
        return
    once = mend(tmp_path / "a.py", rule.bad, unsafe=True)
    compile(once, "a.py", "exec")
    assert mend(tmp_path / "a.py", once, unsafe=True) == once
    if once != rule.bad and code in {f.code for f in audit_files([tmp_path / "a.py"]).findings}:
        pytest.fail(f"the fix of {code} leaves its finding")


def test_several_in_one_line(tmp_path: Path) -> None:
    text = f"{HEAD}    def forward(self, x):\n        return F.dropout(F.dropout(x, 0.1), 0.2)\n"
    once = mend(tmp_path / "a.py", text)
    assert once.count("training=self.training") == 2


def test_unsafe_fixes_only_on_request(tmp_path: Path) -> None:
    text = all_rules()["SK307"].bad
    assert mend(tmp_path / "a.py", text) == text
    assert "AdamW" in mend(tmp_path / "a.py", text, unsafe=True)
