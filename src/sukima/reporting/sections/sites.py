"""Where in the network regularization acts, and how much each place matters."""

from __future__ import annotations

import re

from sukima.base.messages import Message, say
from sukima.records.guideline import guideline_range
from sukima.records.recipe import ALL_SITES, Recipe
from sukima.records.result import TuneResult
from sukima.records.site import Place, Site
from sukima.reporting.blocks import Block, Column, Network, NetworkSite, Paragraph, Row, Table
from sukima.reporting.numbers import number, rate_text
from sukima.reporting.sections.ladder import influences
from sukima.reporting.text import Text

__all__ = ["rate_at", "site_blocks", "units_of"]


def rate_at(site: Site, recipe: Recipe) -> float:
    """The rate that ``recipe`` gives to ``site``."""
    return recipe.rates.get(site.name, recipe.rates.get(ALL_SITES, site.rate))


def site_blocks(result: TuneResult) -> tuple[Block, ...]:
    """The drawing of the network with its masks, and a table of its sites."""
    if not result.sites:
        return (Paragraph(say("The model has no place where dropout acts or could act.")),)
    influence = influences(result.ladder)
    sites = tuple(
        NetworkSite(
            site.name,
            site.kind,
            site.after,
            rate_at(site, result.recipe),
            not site.exists,
            units_of(site.after),
            influence.get(site.name),
        )
        for site in result.sites
    )
    explanation = say(
        "Each dot is a unit; pale ones are dropped in the training step shown. These are the masks that "
        "keyed(seed=seed, step=step) gives these sites, the same on every machine. Influence is how far the "
        "validation score moved while the rate of that site was searched."
    )
    return Paragraph(_where(result.sites)), Network(result.model, sites, explanation), _table(result, influence)


def _where(sites: tuple[Site, ...]) -> Message:
    inserted = [site for site in sites if not site.exists]
    if not inserted:
        return say("These are the dropout layers that the model has already.")
    if len(inserted) == len(sites):
        return say(
            "The model had no dropout. It was inserted behind the hidden activations, never after the output, and "
            "sukima.apply does the same to your model."
        )
    return say("Dropout was inserted at {count} of {all} sites.", count=len(inserted), all=len(sites))


def units_of(layer: str) -> int | None:
    """How many outputs a layer has, as its text says: the second number of ``Linear(64, 256)``."""
    found = re.search(r"\((?:\w+=)?\d+, (?:\w+=)?(\d+)", layer)
    return int(found[1]) if found else None


def _table(result: TuneResult, influence: dict[str, float]) -> Table:
    columns = (
        Column(say("site"), number=False),
        Column(say("after"), number=False),
        Column(say("place"), number=False, detail=True),
        Column(say("rate before")),
        Column(say("rate in the recipe")),
        Column(say("usual rates"), detail=True),
        Column(say("influence"), detail=True),
        Column(say("dropout"), number=False),
    )
    rows = tuple(_row(site, rate_at(site, result.recipe), influence.get(site.name)) for site in result.sites)
    return Table(columns, rows, say("Sites of the model"))


def _row(site: Site, rate: float, influence: float | None) -> Row:
    usual = guideline_range(site)
    cells: tuple[Text, ...] = (
        site.name,
        site.after,
        place_name(site.place),
        rate_text(site.rate) if site.exists else "–",
        rate_text(rate),
        say("{low} to {high}", low=rate_text(usual.low), high=rate_text(usual.high)),
        number(influence),
        say("in the model") if site.exists else say("inserted"),
    )
    return Row(cells, "winner" if rate else "other")


def place_name(place: Place) -> Message:
    """The place in the reader's words."""
    names: dict[Place, Message] = {
        "input": say("after the input"),
        "hidden": say("hidden layer"),
        "convolution": say("after a convolution"),
        "recurrent": say("recurrent layer"),
        "attention": say("attention"),
        "output": say("output"),
    }
    return names[place]
