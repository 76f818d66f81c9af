"""What the handles of an applied recipe share, whatever the framework: rates that can be changed, and their checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping

from sukima.base.checks import check_rate
from sukima.base.errors import InputError
from sukima.records.recipe import ALL_SITES, Recipe
from sukima.records.schedule import Constant, Schedule
from sukima.records.site import Site

__all__ = ["Rates", "chosen_rates", "chosen_schedules", "unknown_site"]


class Rates(MutableMapping[str, float]):
    """Site → rate, as applied; setting one takes effect at the next forward pass. Sites cannot be added or deleted."""

    def __init__(self, rates: dict[str, float], changed: Callable[[], None]) -> None:
        self._rates, self._changed = rates, changed

    def __getitem__(self, site: str) -> float:
        return self._rates[site]

    def __setitem__(self, site: str, rate: float) -> None:
        if site not in self._rates:
            raise unknown_site("rates", site, self._rates)
        self._rates[site] = check_rate(f"rates[{site!r}]", rate)
        self._changed()

    def __delitem__(self, site: str) -> None:
        raise InputError("rates: a site cannot be deleted; set its rate to 0, or remove the recipe")

    def __iter__(self) -> Iterator[str]:
        return iter(self._rates)

    def __len__(self) -> int:
        return len(self._rates)

    def __repr__(self) -> str:
        return repr(self._rates)


def unknown_site(table: str, site: str, known: Iterable[str]) -> InputError:
    """The error for a name that a table has and the model has not."""
    return InputError(
        "{table}: expected one of the model's sites ({known}), got {site}",
        table=table,
        known=", ".join(known) or "-",
        site=repr(site),
    )


def chosen_rates(recipe: Recipe, known: Mapping[str, Site], fits: Callable[[str], bool]) -> dict[str, float]:
    """Site → rate: those named, and for ``"*"`` every known one that is not at the output.

    ``fits`` tells of other names whether dropout can be inserted there.
    """
    chosen: dict[str, float] = {}
    if ALL_SITES in recipe.rates:
        chosen = {name: recipe.rates[ALL_SITES] for name, site in known.items() if site.place != "output"}
    for name, rate in recipe.rates.items():
        if name == ALL_SITES:
            continue
        if name not in known and not fits(name):
            raise unknown_site("rates", name, known)
        chosen[name] = rate
    return chosen


def chosen_schedules(recipe: Recipe, rates: Iterable[str]) -> dict[str, Schedule]:
    """Site → schedule, for every site that has a rate."""
    sites = list(rates)
    for name in recipe.schedules:
        if name != ALL_SITES and name not in sites:
            raise unknown_site("schedules", name, sites)
    shared = recipe.schedules.get(ALL_SITES, Constant())
    return {name: recipe.schedules.get(name, shared) for name in sites}
