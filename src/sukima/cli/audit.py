"""``sukima audit``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from sukima.base.errors import InputError
from sukima.base.messages import say
from sukima.cli.options import Json, Lang, Output

__all__ = ["HELP", "audit"]

HELP = say(
    "Find what is wired wrong with dropout and its kin, in source files or in a model.\n\n"
    "Files and folders are read and never run; file.py:name runs the file and looks at the model itself.\n\n"
    "Examples: sukima audit src/ train.py; sukima audit model.py:build; sukima audit . --fix; "
    "sukima audit --explain SK101"
)


class Format(StrEnum):
    """How findings are printed."""

    TERMINAL = "terminal"
    JSON = "json"
    LINES = "lines"
    SARIF = "sarif"
    GITHUB = "github"


def audit(
    targets: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH | FILE.py:NAME]...", help=str(say("Files, folders or models.")))
    ] = None,
    select: Annotated[list[str] | None, typer.Option("--select", help=str(say("Run only these codes.")))] = None,
    ignore: Annotated[list[str] | None, typer.Option("--ignore", help=str(say("Leave these codes out.")))] = None,
    exclude: Annotated[list[str] | None, typer.Option("--exclude", help=str(say("Leave these files out.")))] = None,
    explain: Annotated[str | None, typer.Option("--explain", help=str(say("Explain a code, or 'all'.")))] = None,
    fix: Annotated[bool, typer.Option("--fix", help=str(say("Mend what can be mended safely.")))] = False,
    diff: Annotated[bool, typer.Option("--diff", help=str(say("Show what --fix would change.")))] = False,
    unsafe: Annotated[
        bool, typer.Option("--unsafe-fixes", help=str(say("With --fix or --diff: also fixes that may change results.")))
    ] = False,
    form: Annotated[Format, typer.Option("--format", help=str(say("How to print findings.")))] = Format.TERMINAL,
    output: Output = None,
    json: Json = False,
    _lang: Lang = None,
) -> None:
    """Read, check, show, mend."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    if explain is not None:
        _explain(console, explain)
        return
    if not targets:
        raise InputError("expected a file, a folder or file.py:name; `sukima audit .` audits this folder")
    if output is not None:
        from sukima.reporting.write import check_report_path

        check_report_path(output)
    codes, without = _codes(select), _codes(ignore)
    paths = [Path(target) for target in targets if not _names_object(target)]
    live = [target for target in targets if _names_object(target)]
    findings, files = [], 0
    if paths:
        from sukima.auditing.api import audit_sources

        done = audit_sources(paths, codes, without, tuple(exclude or ()))
        if fix or diff:
            done.findings = _mend(done.findings, write=fix and not diff, unsafe=unsafe)
        for note in done.notes:
            typer.echo(f"{note.path}: {note.message}", err=True)
        findings, files = done.findings, done.files
    for target in live:
        from sukima.auditing.api import audit_model

        findings += audit_model(_model(target), None, codes, without)
    if output is not None:
        from sukima.reporting.write import write_report

        write_report(findings, output)
        typer.echo(str(say("Report: {path}", path=output)), err=True)
    if not diff:
        _print(console, findings, files, Format.JSON if json else form)
    if any(finding.severity != "advice" for finding in findings):
        raise typer.Exit(1)


def _codes(given: list[str] | None) -> tuple[str, ...]:
    return tuple(code for text in given or () for code in text.replace(",", " ").split())


def _names_object(target: str) -> bool:
    file, separator, name = target.rpartition(":")
    return bool(separator) and name.isidentifier() and file.endswith(".py") and not Path(target).exists()


def _model(target: str) -> Any:
    """The model that ``file.py:name`` names; a function or class is called without arguments."""
    from sukima.cli.objects import load_module

    module, name = load_module(target), target.rpartition(":")[2]
    if not hasattr(module, name):
        raise InputError("{path}: no object called {name}", path=target.rpartition(":")[0], name=repr(name))
    value = getattr(module, name)
    is_model = hasattr(value, "parameters") or hasattr(value, "layers")
    return value() if isinstance(value, type) or (callable(value) and not is_model) else value


def _explain(console: Any, code: str) -> None:
    from sukima.auditing.output.terminal import print_explanation
    from sukima.auditing.registry import all_rules, find_rule

    if code == "all":
        for rule in all_rules().values():
            console.print(f"{rule.code} {rule.slug}: {rule.text('remedy')}", markup=False)
        return
    print_explanation(console, find_rule(code))


def _print(console: Any, findings: list[Any], files: int, form: Format) -> None:
    from sukima.auditing.output import machine

    if form is Format.TERMINAL:
        from sukima.auditing.output.terminal import print_findings

        print_findings(console, findings, files)
        return
    write = {
        Format.JSON: machine.to_json,
        Format.LINES: machine.to_lines,
        Format.SARIF: machine.to_sarif,
        Format.GITHUB: machine.to_github,
    }[form]
    if text := write(findings):
        typer.echo(text)


def _mend(findings: list[Any], *, write: bool, unsafe: bool) -> list[Any]:
    """Mend the files; the findings that remain."""
    from sukima.auditing.fixing import diff, fixed_text

    mended: set[int] = set()
    for path in dict.fromkeys(f.path for f in findings if f.path and f.fix and (f.fix.safe or unsafe)):
        here = [f for f in findings if f.path == path]
        try:
            before = Path(path).read_bytes().decode()
        except UnicodeDecodeError:
            continue  # its note says that it is not valid UTF-8; rewriting it could lose text
        after = fixed_text(before, here, unsafe=unsafe)
        if after == before:
            continue
        if write:
            Path(path).write_bytes(after.encode())
            mended |= {id(f) for f in here if f.fix and (f.fix.safe or unsafe)}
        else:
            typer.echo(diff(Path(path), before, after), nl=False)
    if mended:
        count = len(mended)
        done = say("one finding mended") if count == 1 else say("{count} findings mended", count=count)
        typer.echo(str(done), err=True)
    return [f for f in findings if id(f) not in mended]
