"""Which facilities of the overview somebody asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Final, NamedTuple
from urllib.parse import urlencode

from dashboards.pages.search import SearchIndex
from dashboards.pages.status import FacilityStatus, Status
from domain.directory import Directory, once_per_directory

PAGE: Final = 50
"""So many weigh little on a slow network; the worst come first."""
MOST_PLACES: Final = 8


class Choice(NamedTuple):
    """A region or district, and how many facilities it has."""

    name: str
    facilities: int


class TroubledPlace(NamedTuple):
    """A region or district with facilities that need help, and where they are listed."""

    name: str
    facilities: int
    address: str


@dataclass(frozen=True, slots=True)
class OverviewQuery:
    """What was asked for; empty means all."""

    region: str = ""
    district: str = ""
    search: str = ""
    page: int = 1

    @property
    def narrowed(self) -> bool:
        """Tell whether anything is left out."""
        return bool(self.region or self.district or self.search)

    @property
    def address(self) -> str:
        """Return where this is listed."""
        asked = {"region": self.region, "district": self.district, "q": self.search}
        filled = {name: value for name, value in asked.items() if value}
        if self.page > 1:
            filled["page"] = str(self.page)
        return f"/?{urlencode(filled, errors='replace')}" if filled else "/"

    def on(self, page: int) -> OverviewQuery:
        """Return the same on another page."""
        return replace(self, page=page)

    def chosen(self, statuses: Sequence[FacilityStatus], index: SearchIndex | None) -> Sequence[FacilityStatus]:
        """Return those asked for, in their order; the index is needed where something is searched."""
        found = [each for each in statuses if self._lies_in(each)] if self.region or self.district else statuses
        if not self.search or index is None:
            return found
        by_id = {each.facility.id: each for each in found}
        return [by_id[facility] for facility in index.find(self.search, by_id)]

    def shown(self, chosen: Sequence[FacilityStatus]) -> Sequence[FacilityStatus]:
        """Return those of this page."""
        return chosen[(self.page - 1) * PAGE : self.page * PAGE]

    def troubled(self, chosen: Iterable[FacilityStatus]) -> tuple[TroubledPlace, ...]:
        """Return where most of those are that need help: regions, or districts of one; nothing within a district."""
        if self.district:
            return ()
        helpless = [each.facility for each in takewhile(_needs_help, chosen)]
        if self.region or len({each.region for each in helpless}) < 2:
            named = Counter((each.district, replace(self, district=each.district, page=1)) for each in helpless)
        else:
            named = Counter((each.region, replace(self, region=each.region, page=1)) for each in helpless)
        most = [(name, query, count) for (name, query), count in named.most_common(MOST_PLACES) if name]
        return tuple(TroubledPlace(name, count, query.address) for name, query, count in most) if len(most) > 1 else ()

    def _lies_in(self, status: FacilityStatus) -> bool:
        facility = status.facility
        return self.region in ("", facility.region) and self.district in ("", facility.district)


def _needs_help(status: FacilityStatus) -> bool:
    return status.overall is Status.CRITICAL


@once_per_directory
def places_of(directory: Directory) -> Counter[tuple[str, str]]:
    """Return how many facilities each region and district of a directory has; counted once for each directory."""
    return Counter((each.region, each.district) for each in directory.facilities.values())


def regions_in(places: Mapping[tuple[str, str], int]) -> tuple[Choice, ...]:
    """Return the regions that can be chosen."""
    return _choices((region, count) for (region, _), count in places.items())


def districts_in(places: Mapping[tuple[str, str], int], region: str) -> tuple[Choice, ...]:
    """Return the districts that can be chosen: those of the region, where one is chosen."""
    return _choices((district, count) for (of, district), count in places.items() if region in ("", of))


def _choices(counts: Iterable[tuple[str, int]]) -> tuple[Choice, ...]:
    added: Counter[str] = Counter()
    for name, count in counts:
        added[name] += count
    return tuple(Choice(name, added[name]) for name in sorted(added, key=str.casefold) if name)
