"""Where in the network regularization acts."""

from __future__ import annotations

from sukima.base.messages import Message, say
from sukima.records.guideline import guideline_range
from sukima.records.recipe import ALL_SITES, Recipe
from sukima.records.site import Place, Site
from sukima.report.blocks import Block, Column, Network, NetworkSite, Paragraph, Row, Table
from sukima.report.numbers import rate_text
from sukima.report.text import Text

__all__ = ["rate_at", "site_blocks"]


def rate_at(site: Site, recipe: Recipe) -> float:
    """The rate that ``recipe`` gives to ``site``."""
    return recipe.rates.get(site.name, recipe.rates.get(ALL_SITES, site.rate))


def site_blocks(model: str, sites: tuple[Site, ...], recipe: Recipe) -> tuple[Block, ...]:
    """The drawing of the network and a table of its sites."""
    if not sites:
        return (Paragraph(say("The model has no place where dropout acts or could act.")),)
    inserted = [site for site in sites if not site.exists]
    text: Message
    if not inserted:
        text = say("These are the dropout layers that the model has already.")
    elif len(inserted) == len(sites):
        text = say(
            "The model had no dropout. It was inserted behind the hidden activations, never after the output, and "
            "`sukima.apply` does the same to your model."
        )
    else:
        text = say("Dropout was inserted at {count} of {all} sites.", count=len(inserted), all=len(sites))
    network = Network(
        model,
        tuple(NetworkSite(s.name, s.after, rate_at(s, recipe), s.rate, not s.exists) for s in sites),
    )
    return Paragraph(text), network, _table(sites, recipe)


def _table(sites: tuple[Site, ...], recipe: Recipe) -> Table:
    columns = (
        Column(say("site"), number=False),
        Column(say("after"), number=False),
        Column(say("place"), number=False),
        Column(say("rate before")),
        Column(say("rate in the recipe")),
        Column(say("usual rates")),
        Column(say("dropout"), number=False),
    )
    return Table(columns, tuple(_row(site, recipe) for site in sites), say("Sites of the model"))


def _row(site: Site, recipe: Recipe) -> Row:
    usual = guideline_range(site)
    rate = rate_at(site, recipe)
    cells: tuple[Text, ...] = (
        site.name,
        site.after,
        place_name(site.place),
        rate_text(site.rate) if site.exists else "–",
        rate_text(rate),
        say("{low} to {high}", low=rate_text(usual.low), high=rate_text(usual.high)),
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
