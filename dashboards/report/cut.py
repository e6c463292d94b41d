"""How much of a report is listed on pages and paper, in which order; its files hold all of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import nlargest
from typing import Final

from dashboards.report.cold_lines import outside_seconds
from dashboards.report.lines import Data
from domain.places import Service

MOST_LISTED: Final = 100
"""Facilities in contract figures, each with a line for every service."""
MOST_FACILITIES: Final = 200
"""Facilities in the report on a month, a line each."""
MOST_OUTAGES: Final = 60
MOST_CHANGES: Final = 60
MOST_EXCURSIONS: Final = 40
MOST_APPLIANCES: Final = 40


def shown_figures(data: Data) -> dict[str, object]:
    """Return contract figures cut to what is shown, with what is said of the others."""
    ranked, since = least_available_first(data["facilities"]), data.get("since_last_issue")
    cut = None if since is None else {**since, "changed": since["changed"][: MOST_CHANGES + 1], "changes": []}
    return {
        **data,
        "facilities": _with_longest_outages(ranked[:MOST_LISTED]),
        "left_out": max(len(ranked) - MOST_LISTED, 0),
        "targets": targets_of(ranked),
        "since_last_issue": cut,
    }


def shown_month(data: Data) -> dict[str, object]:
    """Return the report on a month cut to what is shown."""
    ranked = warmest_first(data["facilities"])
    listed = without_cold_chain(ranked[:MOST_FACILITIES], keep=True)
    return {
        **data,
        "facilities": _with_longest_excursions(_with_longest_outages(listed)),
        "left_out": max(len(ranked) - MOST_FACILITIES, 0),
    }


def least_available_first(facilities: Iterable[Data]) -> list[Data]:
    """Return facilities, that with the least available service first; of which nothing is known last."""

    def key(facility: Data) -> tuple[float, str]:
        known = [each["availability"] for each in facility["services"].values() if each["availability"] is not None]
        return min(known, default=2.0), facility["name"]

    return sorted(facilities, key=key)


def warmest_first(facilities: Iterable[Data]) -> list[Data]:
    """Return facilities, that whose fridges were out of range longest first."""
    return sorted(facilities, key=lambda each: (-sum(map(outside_seconds, each["appliances"])), each["name"]))


def targets_of(facilities: Iterable[Data]) -> dict[str, list[int]]:
    """Return by service at how many facilities the promise was kept and missed."""
    found: dict[str, list[int]] = {}
    for facility in facilities:
        for name, each in facility["services"].items():
            if each["kept"] is not None:
                found.setdefault(name, [0, 0])[0 if each["kept"] else 1] += 1
    return found


def without_cold_chain(facilities: Sequence[Data], *, keep: bool = False) -> list[Data]:
    """Return facilities without the outages of their cold chain, of which excursions say more; ``keep`` the service."""
    cold = Service.COLD_CHAIN.value
    return [
        {
            **facility,
            "services": {
                name: {**each, "outages": []} if name == cold else each
                for name, each in facility["services"].items()
                if keep or name != cold
            },
        }
        for facility in facilities
    ]


def _with_longest_outages(facilities: Sequence[Data]) -> list[Data]:
    services = [each for facility in facilities for each in facility["services"].values()]
    longest = _longest((outage for each in services for outage in each["outages"]), MOST_OUTAGES)
    return [
        {
            **facility,
            "services": {
                name: {**each, "outages": _among(each["outages"], longest)}
                for name, each in facility["services"].items()
            },
        }
        for facility in facilities
    ]


def _with_longest_excursions(facilities: Sequence[Data]) -> list[Data]:
    appliances = [each for facility in facilities for each in facility["appliances"]]
    longest = _longest((found for each in appliances for found in each["excursions"]), MOST_EXCURSIONS)
    return [
        {
            **facility,
            "appliances": [
                {**each, "excursions": _among(each["excursions"], longest)} for each in facility["appliances"]
            ],
        }
        for facility in facilities
    ]


def _longest(found: Iterable[Data], most: int) -> frozenset[int]:
    """Return which are the longest, by identity."""
    return frozenset(id(each) for each in nlargest(most, found, key=lambda each: each["seconds"]))


def _among(found: Sequence[Data], wanted: frozenset[int]) -> list[Data]:
    return [each for each in found if id(each) in wanted]
