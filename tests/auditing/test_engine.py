"""Files of every kind: what cannot be read is noted, what can is checked, and nothing is ever run."""

# ruff: noqa: E501 - a fragment of a generated program stands on one line

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sukima.auditing.api import audit, audit_sources
from sukima.auditing.engine import audit_files
from sukima.base.errors import InputError

BAD = """import torch.nn as nn
import torch.nn.functional as F
class Net(nn.Module):
    def forward(self, x):
        return F.dropout(x, 0.5)
"""


def codes(path: Path) -> list[str]:
    return [f.code for f in audit_sources([path]).findings]


def test_nothing_is_run(tmp_path: Path) -> None:
    (tmp_path / "boom.py").write_text("raise SystemExit('dropout was run')\n")
    assert audit_sources([tmp_path]).files == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("syntax.py", b"def f(:\n    dropout"),
        ("python2.py", b"print 'dropout'\n"),
        ("null.py", b"x = 1\0 # dropout\n"),
        ("cell.ipynb", b"{not json dropout"),
        ("list.ipynb", b"[1, 2]"),
        ("deep.py", b"x = " + b"(" * 5000 + b")" * 5000),
    ],
)
def test_what_cannot_be_read_is_noted(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "good.py").write_text(BAD)
    done = audit_sources([tmp_path])
    assert [f.code for f in done.findings] == ["SK101"]
    assert [Path(note.path).name for note in done.notes] == [name]


def test_other_encodings(tmp_path: Path) -> None:
    (tmp_path / "declared.py").write_bytes(
        b"# -*- coding: shift_jis -*-\n# " + "隙間".encode("shift_jis") + b"\n" + BAD.encode()
    )
    (tmp_path / "latin.py").write_bytes(b"# caf\xe9\n" + BAD.encode())
    (tmp_path / "bom.py").write_bytes(b"\xef\xbb\xbf" + BAD.encode())
    done = audit_sources([tmp_path])
    assert [f.code for f in done.findings] == ["SK101"] * 3
    assert [Path(n.path).name for n in done.notes] == ["latin.py"]


def test_line_ends_and_form_feeds_keep_the_line_numbers(tmp_path: Path) -> None:
    for name, text in (("crlf.py", BAD.replace("\n", "\r\n")), ("feed.py", "\f# \u2028\n" + BAD)):
        (tmp_path / name).write_bytes(text.encode())
    lines = {Path(f.path or "").name: f.line for f in audit_sources([tmp_path]).findings}
    assert lines == {"crlf.py": 5, "feed.py": 6}


def test_a_file_that_vanishes(tmp_path: Path) -> None:
    done = audit_files([tmp_path / "gone.py"])
    assert not done.findings
    assert len(done.notes) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are of POSIX")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "model.py").write_text(BAD)
    done = audit_sources([tmp_path])
    assert len(done.findings) == 1
    assert [Path(note.path).name for note in done.notes] == ["pipe.py"]


def test_symlink_loops_and_doubles(tmp_path: Path) -> None:
    inner = tmp_path / "package"
    inner.mkdir()
    (inner / "model.py").write_text(BAD)
    (inner / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "again").symlink_to(inner, target_is_directory=True)
    assert audit_sources([tmp_path]).files == 1


def test_notebooks_give_the_line_in_the_file(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# dropout"]},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "!pip install torch\n", "files = !ls\n"]},
        {"cell_type": "code", "source": BAD.splitlines(keepends=True)},
        {"cell_type": "code", "source": "%%bash\necho dropout"},
    ]
    path = tmp_path / "book.ipynb"
    path.write_text(json.dumps({"cells": cells}, indent=1))
    (finding,) = audit_sources([path]).findings
    assert "F.dropout(x, 0.5)" in path.read_text().splitlines()[(finding.line or 0) - 1]


def test_names_are_followed_through_the_package(tmp_path: Path) -> None:
    package = tmp_path / "pkg"
    package.mkdir()
    (package / "__init__.py").write_text("from .base import Base\nfrom .ops import drop as shed\n")
    (package / "ops.py").write_text("from torch.nn.functional import dropout as drop\n")
    (package / "base.py").write_text(
        "import torch.nn as nn\nclass Base(nn.Module):\n    def forward(self, x):\n        return self.drop(x)\n"
    )
    (package / "net.py").write_text(
        "import torch.nn as nn\nfrom . import Base\nfrom .ops import drop\nclass Net(Base):\n    def __init__(self):\n"
        "        super().__init__()\n        self.drop = nn.Dropout(0.5)\n        self.other = nn.Dropout(0.5)\n"
    )
    assert [(Path(f.path or "").name, f.line, f.code) for f in audit_sources([tmp_path]).findings] == [
        ("net.py", 8, "SK121")
    ]


def test_configuration(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(BAD)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "model.py").write_text(BAD)
    settings_file = tmp_path / "pyproject.toml"
    settings_file.write_text('[tool.sukima.audit]\nexclude = ["old"]\n')
    assert codes(tmp_path) == ["SK101"]
    settings_file.write_text('[tool.sukima.audit]\nignore = ["SK1"]\n')
    assert codes(tmp_path) == []
    settings_file.write_text('[tool.sukima.audit.per-file-ignores]\n"old/*" = ["SK101"]\n')
    assert codes(tmp_path) == ["SK101"]
    settings_file.write_text("[tool.sukima.audit]\nselct = []\n")
    with pytest.raises(InputError, match="selct"):
        codes(tmp_path)


@pytest.mark.parametrize(
    ("comment", "silent"),
    [
        ("# noqa", True),
        ("# noqa: SK101", True),
        ("# noqa: E501, SK101", True),
        ("# noqa: SK102", False),
        ("# noqa:SK1", True),
    ],
)
def test_noqa(comment: str, silent: bool, tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    path.write_text(BAD.replace("0.5)", f"0.5)  {comment}"))
    assert (codes(path) == []) is silent


def test_missing_paths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone: no such file or folder"):
        audit(tmp_path / "gone")


def test_many_files_are_shared_between_processes(tmp_path: Path) -> None:
    for number in range(70):
        (tmp_path / f"m{number:02}.py").write_text(BAD)
    paths = sorted(tmp_path.iterdir())
    assert audit_files(paths, jobs=2).findings == audit_files(paths, jobs=1).findings
    assert len(audit_files(paths, jobs=2).findings) == 70


PIECES = st.sampled_from(
    [
        "import torch.nn as nn", "import torch.nn.functional as F", "from keras.layers import *", "from x import (a, b)",
        "class {a}(nn.Module):\n    def __init__(self, {b}=0.5):\n        super().__init__()\n        self.{b} = nn.Dropout({b})\n"
        "    def forward(self, x):\n        return self.{a}(F.dropout(self.{b}(x), {b}))",
        "class {a}({b}):\n    def forward(self, *{b}, **k):\n        return super().forward(*{b})",
        "{a} = nn.Sequential(*[nn.Linear(8, 8), nn.Dropout({b})] * 3)", "{a} = lambda {b}: {a}({b})",
        "for {a} in {b}:\n    with torch.no_grad():\n        {a} = model({b}).eval()\n    {b}.backward()",
        "def {a}({b}, *, training=False):\n    if training: return {b}\n    return {a}(F.dropout({b}, training=training))",
        "{a}, *{b} = {b}[{a}:], {{**{a}}}", "while {a} := {b}({a}):\n    del {b}\nelse:\n    {a} += [{b} for {b} in {a} if {b}]",
        "match {a}:\n    case [{b}, *_]:\n        {b}.p = 0\n    case _:\n        pass",
        "try:\n    {a} = {b}.eval()\nexcept* E:\n    pass", "async def {a}():\n    async for {b} in x:\n        yield await {b}",
        "@{a}\nclass {b}({b}, metaclass={a}):\n    {a}: int = {b}\n    class {a}({b}): ...",
        "model.fit({a}, callbacks=[EarlyStopping({b})], validation_data={a})", "global {a}", "{a} = {b} = {a}.{b} = {b}[{a}]",
        "mask = torch.rand({a}) > {b}\n{a} = {a} * mask / (1 - {b})",
    ]
)  # fmt: skip
NAMES = st.sampled_from(["a", "drop", "self", "model", "nn", "F", "x", "test_loader", "Net"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(PIECES, NAMES, NAMES), max_size=8))
def test_generated_programs_never_crash_it(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[str, str, str]]
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "generated.py"
    path.write_text("\n".join(piece.format(a=a, b=b) for piece, a, b in parts) + "\n# dropout\n")
    done = audit_files([path])
    assert done.files == 1
    for finding in done.findings:
        finding.to_dict("ja")


@pytest.mark.parametrize("step", ["layers += layers", "layers.extend(layers)", "layers = layers + layers"])
def test_a_list_that_doubles_comes_to_an_end(tmp_path: Path, step: str) -> None:
    path = tmp_path / "model.py"
    doubled = "\n".join([step] * 40)
    path.write_text(f"import torch.nn as nn\nlayers = [nn.Dropout(0.5)]\n{doubled}\nmodel = nn.Sequential(*layers)\n")
    audit_files([path])
