"""docs/metrics.md lists every family that is exported, as it is exported."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from api.exposition import Exposition
from app.exposition import equipment, facility_families
from app.exposition.text import Family, Kind
from app.stories.service import Service
from tests.app.scraping import metrics_of
from tests.app.test_equipment_metrics import START_MS, Given
from tests.app.test_metrics import figures, hot_fridge, service  # noqa: F401 - a fixture

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"
_ROW = re.compile(r"^\| `(?P<name>[a-z_]+)` \| (?P<kind>\w+) \| (?P<labels>[^|]*) \| (?P<text>[^|]*) \|$", re.MULTILINE)


class Row(NamedTuple):
    """What the document or an answer says of a family."""

    kind: str
    labels: frozenset[str]
    text: str


def documented() -> dict[str, Row]:
    """Return what the document says, by the name that queries use."""
    found = {}
    for row in _ROW.finditer(DOCUMENT.read_text("utf-8")):
        assert row["name"] not in found, row["name"]
        labels = frozenset(re.findall(r"`(\w+)`", row["labels"]))
        found[row["name"]] = Row(row["kind"], labels, row["text"])
    return found


def exported(families: Iterable[Metric]) -> dict[str, Row]:
    """Return what an answer says."""
    found = {}
    for family in families:
        labels = {name for sample in family.samples for name in sample.labels} - {"le"}
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = Row(family.type, frozenset(labels), family.documentation)
    return found


async def test_every_family_is_listed_as_it_is(service: Service) -> None:  # noqa: F811 - the fixture
    """Type and meaning word for word, the labels wherever there is a sample; nothing is listed that is not there."""
    await hot_fridge(service)
    await figures(service)
    given = Given("a")
    for channel in given.directory.channels:
        given.take(channel, START_MS, 1.0)
    text = (await metrics_of(service)).decode() + "".join(given.text.render(Exposition.TEXT))
    answers, listed = exported(text_string_to_metric_families(text)), documented()
    assert listed.keys() == answers.keys()
    wrong = {
        name: (listed[name], row)
        for name, row in answers.items()
        if (listed[name].kind, listed[name].text) != (row.kind, row.text)
        or (row.labels and listed[name].labels != row.labels)
    }
    assert wrong == {}


def test_what_is_written_by_hand_can_be_read_in_both_formats() -> None:
    """No help text needs escaping, and no name says what its kind adds."""
    families: tuple[Family, ...] = (*facility_families.FAMILIES, *equipment.FAMILIES)
    assert len({each.name for each in families}) == len(families)
    for each in families:
        assert not set(each.text) & set('\\\n"')
        assert each.text.endswith(".")
        assert not each.name.endswith("_total")
        assert (each.kind is Kind.COUNTER) == each.sample.endswith("_total")
