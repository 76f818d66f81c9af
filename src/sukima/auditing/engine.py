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

# A file with none of these, in any case of letters, gives no rule anything to say.
_TELLING = (
    *("drop", ".eval(", "softmax", "earlystopping", "weight_decay", "bernoulli", "backward(", "gradienttape"),
    *("load_data", "no_grad", "best_", "regulariz", "training", "patience", "inference_mode", "attention(", "_attn_"),
    *("transform.", "transforms.", "imagedatagenerator", "parameters()", "torch.load(", "load_state_dict"),
)
_NOQA = re.compile(r"#\s*noqa(?P<codes>\s*:\s*[A-Z]+[0-9]*(?:[\s,]+[A-Z]+[0-9]+)*)?", re.IGNORECASE)
_SKIP_FILE = re.compile(r"^\s*#\s*sukima:\s*skip-file", re.MULTILINE)
_PARALLEL_FROM = 60
# How many files a process is handed at a time, and after how many it forgets those that it has read.
_RUN = 12
_HELD = 400


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
    if jobs == 1:
        whole.add(_Worker(select, ignore).audit([str(path) for path in paths]))
    else:
        # Runs of neighbours keep a package's files, and so what they share, in one process.
        parts = [[str(path) for path in paths[i : i + _RUN]] for i in range(0, len(paths), _RUN)]
        with ProcessPoolExecutor(jobs, initializer=_begin, initargs=(select, ignore)) as pool:
            for part in pool.map(_audit_part, parts):
                whole.add(part)
    whole.findings = sorted({f.key: f for f in reversed(whole.findings)}.values(), key=lambda f: f.key)
    return whole


class _Worker:
    """The rules, and the files that one process has read so far, which those to come may share."""

    def __init__(self, select: tuple[str, ...], ignore: tuple[str, ...]) -> None:
        self.rules = selected_rules(select, ignore)
        self.project = Project()

    def audit(self, paths: list[str]) -> SourceAudit:
        """Check some files. Trees are large and full of cycles: they are let go together, and seldom."""
        found = SourceAudit()
        collecting = gc.isenabled()
        gc.disable()
        try:
            for path in paths:
                if len(self.project) >= _HELD:
                    self.project = Project()
                    gc.collect()
                self._audit_file(path, found)
        finally:
            if collecting:
                gc.enable()
        return found

    def _audit_file(self, path: str, found: SourceAudit) -> None:
        found.files += 1
        place = Path(path).absolute()
        try:
            source = read(place, path)
            text = source.text.lower()
            if not any(sign in text for sign in _TELLING):
                if place not in self.project:
                    parse(source)  # only for the note, should it be no Python
                return
            module = self.project.load(place, path)
        except UnreadableError as error:
            found.notes.append(Note(path, error.reason))
            return
        module.source.path = path
        if module.source.note:
            found.notes.append(Note(path, module.source.note))
        if _SKIP_FILE.search(module.source.text[:2000]):
            return
        try:
            found.findings += _audit_module(module, self.project, self.rules)
        except RecursionError:
            found.notes.append(Note(path, say("too deeply nested to follow; skipped")))


_worker: _Worker | None = None


def _begin(select: tuple[str, ...], ignore: tuple[str, ...]) -> None:
    """What a process of the pool starts with."""
    global _worker
    _worker = _Worker(select, ignore)


def _audit_part(paths: list[str]) -> SourceAudit:
    assert _worker is not None
    return _worker.audit(paths)


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
