"""``sukima bench``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sukima.base.messages import say
from sukima.cli.options import Json, Lang

if TYPE_CHECKING:
    from sukima.workflow.bench import CostOfDropout

__all__ = ["HELP", "bench"]

HELP = say(
    "Measure what dropout costs on this machine: sukima, torch, torch.compile and what else is installed,\n"
    "beside the cost of a multiplication.\n\n"
    "Example: sukima bench --sizes 65536,1048576 --no-compile"
)


def bench(
    sizes: Annotated[
        str, typer.Option("--sizes", help=str(say("Numbers of elements, separated by commas.")))
    ] = "4096,65536,1048576,16777216",
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.01, help=str(say("How long to measure each, about, in seconds.")))
    ] = 0.2,
    compile: Annotated[
        bool, typer.Option("--compile/--no-compile", help=str(say("Whether to include torch.compile.")))
    ] = True,
    peers: Annotated[
        bool, typer.Option("--peers/--no-peers", help=str(say("Whether to include JAX, TensorFlow and Keras.")))
    ] = True,
    json: Json = False,
    _lang: Lang = None,
) -> None:
    """Measure, show."""
    from sukima.base.checks import check_number
    from sukima.base.imports import require

    check_number("--seconds", seconds, above=0)
    numbers = _sizes(sizes)
    require("torch", "torch")
    from rich.progress import Progress

    from sukima.workflow.bench import machine, measure

    costs: list[CostOfDropout] = []
    with Progress(transient=True, disable=json) as progress:
        bar = progress.add_task(str(say("Measuring")), total=len(numbers))
        for size in numbers:
            costs += measure([size], seconds, compile, peers)
            progress.advance(bar)
    if json:
        _print_json(machine(), costs)
    else:
        _print_table(machine(), costs)


def _sizes(text: str) -> list[int]:
    from sukima.base.checks import shown
    from sukima.base.errors import InputError

    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and 0 < int(part) <= 2**32 for part in parts):
        raise InputError(
            "{name} must be {expected}, got {value}",
            name="--sizes",
            expected="whole numbers in [1, 2**32], separated by commas",
            value=shown(text),
        )
    return [int(part) for part in parts]


def _print_json(machine: dict[str, str], costs: list[CostOfDropout]) -> None:
    import json

    measured = [
        {"contender": c.contender, "elements": c.elements, "ns_per_element": round(c.nanoseconds_an_element, 4)}
        for c in costs
    ]
    typer.echo(json.dumps({"machine": machine, "measured": measured}, indent=2))


def _print_table(machine: dict[str, str], costs: list[CostOfDropout]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    title = str(say("Dropout at rate 0.5, forward, float32: nanoseconds an element, and times the cost of sukima"))
    sizes = sorted({c.elements for c in costs})
    table = Table("", *(f"{size:,}" for size in sizes), title=title)
    found = {(c.contender, c.elements): c.nanoseconds_an_element for c in costs}
    for contender in dict.fromkeys(c.contender for c in costs):
        cells = []
        for size in sizes:
            own = found.get(("sukima", size))
            here = found.get((contender, size))
            cells.append("" if here is None or own is None else f"{here:.3f}  {here / own:5.1f} ×")
        table.add_row(contender, *cells)
    console.print(table)
    console.print(", ".join(f"{name} {value}" for name, value in machine.items()))
