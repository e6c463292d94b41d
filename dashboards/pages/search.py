"""Finding facilities by what people call them: name, place, node, equipment, serial number; accents do not matter."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

from domain.directory import Directory, once_per_directory
from domain.places import Facility

# What Arabic writes in several ways: alef with and without hamza, final ya, ta marbuta; and what stretches words.
_ALIKE = str.maketrans("أإآٱىةؤئ", "اااايهوي", "ـ")


def plain(text: str) -> str:
    """Return a text as it is compared: without case, accents, vowel signs and the ways of writing one letter."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", text).translate(_ALIKE).casefold())
    return "".join(each for each in folded if not unicodedata.combining(each))


class SearchIndex:
    """All facilities of a directory, as they are compared."""

    def __init__(self, directory: Directory) -> None:
        self._texts = {
            facility.id: plain("\n".join(filter(None, _texts(directory, facility))))
            for facility in directory.facilities.values()
        }

    def find(self, query: str, among: Iterable[str]) -> Iterator[str]:
        """Yield those of these facilities in which every word of the query stands, in their order."""
        wanted = plain(query).split()
        for facility in among:
            text = self._texts.get(facility, "")
            if all(word in text for word in wanted):
                yield facility


@once_per_directory
def index_of(directory: Directory) -> SearchIndex:
    """Return the index of a directory; made once, which takes a moment for a nation."""
    return SearchIndex(directory)


def _texts(directory: Directory, facility: Facility) -> Iterator[str]:
    yield from (facility.name, facility.id, facility.district, facility.region, facility.country)
    for node in directory.nodes_of(facility.id):
        yield from (node.id, node.name)
    for item in directory.equipment_of(facility.id):
        yield from (item.name, item.model, item.serial)
