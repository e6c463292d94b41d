"""Which facilities of the overview somebody asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple
from urllib.parse import urlencode

from dashboards.pages.search import SearchIndex
from dashboards.pages.status import FacilityStatus, Status

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

    def regions(self, statuses: Iterable[FacilityStatus]) -> tuple[Choice, ...]:
        """Return the regions that can be chosen."""
        return _choices(each.facility.region for each in statuses)

    def districts(self, statuses: Iterable[FacilityStatus]) -> tuple[Choice, ...]:
        """Return the districts that can be chosen: those of the region, where one is chosen."""
        return _choices(each.facility.district for each in statuses if self.region in ("", each.facility.region))

    def troubled(self, chosen: Iterable[FacilityStatus]) -> tuple[TroubledPlace, ...]:
        """Return where most of those are that need help: regions, or districts of one; nothing within a district."""
        if self.district:
            return ()
        helpless = [each.facility for each in chosen if each.overall is Status.CRITICAL]
        if self.region or len({each.region for each in helpless}) < 2:
            named = Counter((each.district, replace(self, district=each.district, page=1)) for each in helpless)
        else:
            named = Counter((each.region, replace(self, region=each.region, page=1)) for each in helpless)
        most = [(name, query, count) for (name, query), count in named.most_common(MOST_PLACES) if name]
        return tuple(TroubledPlace(name, count, query.address) for name, query, count in most) if len(most) > 1 else ()

    def _lies_in(self, status: FacilityStatus) -> bool:
        facility = status.facility
        return self.region in ("", facility.region) and self.district in ("", facility.district)


def _choices(names: Iterable[str]) -> tuple[Choice, ...]:
    counted = Counter(name for name in names if name)
    return tuple(Choice(name, counted[name]) for name in sorted(counted, key=str.casefold))
