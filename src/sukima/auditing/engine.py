"""Run the rules over files."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from sukima.auditing.registry import selected_rules
from sukima.auditing.rule import Rule
from sukima.auditing.source.context import Context
from sukima.auditing.source.intent import is_test_module
from sukima.auditing.source.names import Module
from sukima.auditing.source.project import Project
from sukima.auditing.source.reading import UnreadableError, parse, read
from sukima.base.messages import Message, say
from sukima.records.finding import Finding
from sukima.records.model_view import ModelView

__all__ = ["Note", "SourceAudit", "audit_files", "audit_view"]

_RELEVANT = re.compile(
    r"drop|\.eval\(|softmax|EarlyStopping|weight_decay|bernoulli|backward\(|GradientTape|load_data|no_grad|best_|"
    r"regulariz|training|patience|inference_mode|attention\(|_attn_|transforms?\.|ImageDataGenerator|parameters\(\)|"
    r"torch\.load\(|load_state_dict",
    re.IGNORECASE,
)
_NOQA = re.compile(r"#\s*noqa(?P<codes>\s*:\s*[A-Z]+[0-9]*(?:[\s,]+[A-Z]+[0-9]+)*)?", re.IGNORECASE)
_SKIP_FILE = re.compile(r"^\s*#\s*sukima:\s*skip-file", re.MULTILINE)
_PARALLEL_FROM = 60
_PART = 200
_FEW = 20


@dataclass(frozen=True)
class Note:
    """A file that was passed over or read with a reservation, and why."""

    path: str
    message: Message


@dataclass
class SourceAudit:
    """What the audit of a set of files found."""

    findings: list[Finding] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    files: int = 0

    def add(self, other: SourceAudit) -> None:
        """Take in the results of another part of the files."""
        self.findings += other.findings
        self.notes += other.notes
        self.files += other.files


def audit_files(
    paths: Sequence[Path], select: tuple[str, ...] = (), ignore: tuple[str, ...] = (), jobs: int | None = None
) -> SourceAudit:
    """Check these files; many are shared between processes."""
    selected_rules(select, ignore)
    jobs = 1 if len(paths) < _PARALLEL_FROM else jobs or os.cpu_count() or 1
    whole = SourceAudit()
    # Runs of neighbours keep a package's files, and so what they share, in one part.
    size = max(8, min(_PART, -(-len(paths) // (jobs * 2))))
    parts = [[str(p) for p in paths[i : i + size]] for i in range(0, len(paths), size)]
    if jobs == 1:
        for some in parts:
            whole.add(_audit_part(some, select, ignore))
    else:
        with ProcessPoolExecutor(jobs) as pool:
            for part in pool.map(_audit_part, parts, [select] * len(parts), [ignore] * len(parts)):
                whole.add(part)
    whole.findings = sorted({f.key: f for f in reversed(whole.findings)}.values(), key=lambda f: f.key)
    return whole


def _audit_part(paths: list[str], select: tuple[str, ...], ignore: tuple[str, ...]) -> SourceAudit:
    """Check some files. Trees are large and full of cycles: they are let go together, at the end of the part."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _audit_paths(paths, selected_rules(select, ignore))
    finally:
        if collecting:
            gc.enable()
            if len(paths) > _FEW:
                gc.collect()


def _audit_paths(paths: list[str], rules: list[Rule]) -> SourceAudit:
    project = Project()
    found = SourceAudit()
    for path in paths:
        found.files += 1
        try:
            source = read(Path(path), path)
            if not _RELEVANT.search(source.text):
                parse(source)  # only for the note, should it be no Python
                continue
            module = project.load(Path(path).absolute(), path)
        except UnreadableError as error:
            found.notes.append(Note(path, error.reason))
            continue
        module.source.path = path
        if module.source.note:
            found.notes.append(Note(path, module.source.note))
        if not _SKIP_FILE.search(module.source.text[:2000]):
            try:
                found.findings += _audit_module(module, project, rules)
            except RecursionError:
                found.notes.append(Note(path, say("too deeply nested to follow; skipped")))
    return found


def _audit_module(module: Module, project: Project, rules: Iterable[Rule]) -> list[Finding]:
    context = Context(module, project)
    found: list[Finding] = []
    for rule in rules:
        for check in rule.source_checks:
            found += check(context)
        if rule.view_checks:
            for view in context.views:
                for view_check in rule.view_checks:
                    found += view_check(view)
    here = [f for f in found if f.path == module.path and not _silenced(module, f)]
    if is_test_module(module):
        # Tests wire odd models on purpose; only what is always wrong is worth a word there.
        here = [f for f in here if f.severity == "error"]
    if module.source.places is None:
        return here
    return [replace(f, line=module.source.file_line(f.line or 1), fix=None) for f in here]


def _silenced(module: Module, finding: Finding) -> bool:
    """Whether a ``# noqa`` on the finding's line covers its code."""
    lines = module.source.lines
    line = finding.line or 1
    if not 0 < line <= len(lines):
        return False
    match = _NOQA.search(lines[line - 1])
    if not match:
        return False
    codes = match["codes"]
    return codes is None or any(finding.code.startswith(c.upper()) for c in re.findall(r"[A-Za-z]+[0-9]+", codes))


def audit_view(view: ModelView, rules: Iterable[Rule]) -> list[Finding]:
    """Check one model."""
    return [finding for rule in rules for check in rule.view_checks for finding in check(view)]
