"""The program ``sukima`` and how it ends."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Annotated

import typer
from typer.exceptions import TyperException

import sukima
from sukima.base.errors import SukimaError
from sukima.base.messages import say
from sukima.cli import audit, bench, compare, diagnose, report, tune
from sukima.cli.objects import users_line
from sukima.cli.options import Lang
from sukima.cli.usage import usage_message

__all__ = ["app", "run"]

app = typer.Typer(
    name="sukima",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help=str(say("Dropout and regularization done properly: tune it, compare it, and see whether it helps.")),
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("tune", help=str(tune.HELP))(tune.tune)
app.command("compare", help=str(compare.HELP))(compare.compare)
app.command("bench", help=str(bench.HELP))(bench.bench)
app.command("audit", help=str(audit.HELP))(audit.audit)
app.command("diagnose", help=str(diagnose.HELP))(diagnose.diagnose)
app.command("report", help=str(report.HELP))(report.report)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(sukima.__version__)
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help=str(say("Print the version.")))
    ] = False,
    _lang: Lang = None,
) -> None:
    pass


def run() -> int:
    """Run a command; a user's mistake is one line and exit code 2, Ctrl-C is 130, and a fault of ours shows itself."""
    try:
        return int(app(standalone_mode=False) or 0)
    except typer.Abort:
        return 130
    except TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            typer.echo(error.format_message(), err=True)
            return 2
        return _refuse(usage_message(error, sys.argv[1:]))
    except SukimaError as error:
        return _refuse(users_line(error) + str(error))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing more can be said there
        return 1
    except Exception as error:
        if place := users_line(error):
            return _refuse(f"{place}{type(error).__name__}: {error}")
        traceback.print_exc()
        return 1


def _refuse(text: str) -> int:
    """One line, whatever the text of an error that is not ours."""
    typer.echo("sukima: " + " ".join(line.strip() for line in text.splitlines()), err=True)
    return 2
