"""Charts of stored readings: the lowest and highest of each interval, for a mean would hide a short excursion."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.grafana import links
from dashboards.grafana.influxql import InfluxTarget, in_all, kinds, measured, over_time, where
from dashboards.grafana.limits import Limits
from dashboards.grafana.looks import Look
from dashboards.grafana.panels import Card, Words, lines, states
from dashboards.grafana.scopes import Scope
from dashboards.grafana.tables import Column, table
from domain.places import EquipmentKind
from domain.quantities import QUANTITIES

COLD = (EquipmentKind.FRIDGE, EquipmentKind.COLD_ROOM, EquipmentKind.COLD_BOX)
FROZEN = (EquipmentKind.FREEZER,)
SUPPLIES = (EquipmentKind.MAINS, EquipmentKind.GENERATOR, EquipmentKind.UPS, EquipmentKind.SOLAR)
STORAGE = (EquipmentKind.BATTERY, EquipmentKind.UPS)
EXTREMES = 'min("value") AS "lowest", max("value") AS "highest"'


def extremes(
    words: Words,
    scope: Scope,
    quantity_name: str,
    limits: Limits,
    wanted: Sequence[EquipmentKind] = (),
    *,
    wide: int,
    tall: int = 9,
) -> Card:
    """Return the chart of a quantity of some kinds of equipment, with the limits of the first kind as lines."""
    quantity = QUANTITIES[quantity_name]
    condition = where(scope, *([kinds(wanted)] if wanted else []))
    query = over_time(EXTREMES, measured(quantity_name), condition, by="channel")
    found = limits.get((quantity_name, wanted[0]), {}) if wanted else {}
    return lines(words, quantity, [InfluxTarget(query, alias="$tag_channel $col")], found, wide=wide, tall=tall)


def power_states(words: Words, scope: Scope, *, wide: int, tall: int = 8) -> Card:
    """Return the timeline of supplies and of what runs, from raw readings."""
    condition = where(scope, kinds(SUPPLIES))
    targets = [
        (
            QUANTITIES[name],
            InfluxTarget(
                over_time('last("value")', measured(name), condition, by="equipment"), ref, f"$tag_equipment {name}"
            ),
        )
        for ref, name in (("A", "supply"), ("B", "running"))
    ]
    return states(words, targets, wide=wide, tall=tall)


def door_states(scope: Scope, *, wide: int, tall: int = 8) -> Card:
    """Return the timeline of doors; an interval in which a door was ever open is open."""
    words = Words(
        "Doors",
        "When each door was open. Few but long openings cause excursions. A gap is time of which nobody knows.",
        "No door has reported in this time.",
    )
    query = over_time('max("value")', measured("door"), where(scope), by="equipment")
    return states(words, [(QUANTITIES["door"], InfluxTarget(query, alias="$tag_equipment"))], wide=wide, tall=tall)


def latest(scope: Scope, *, wide: int, tall: int = 8) -> Card:
    """Return the newest value of each channel in the time chosen, the longest silent first."""
    words = Words(
        "Newest readings",
        "The newest value of each channel in the time chosen and when it was measured, the oldest first. A state "
        "counts its words from 0. A channel that measured nothing in this time is not here.",
        "Nothing has been measured here in this time.",
    )
    raw = "/^(" + "|".join(sorted(each.measurement for each in QUANTITIES.values())) + ")$/"
    tags = ("equipment", "kind", "channel")
    named = ", ".join(f'"{tag}"' for tag in tags)
    each = in_all('last("value") AS "value"', raw, where(scope)) + f" GROUP BY {named}"
    query = f'SELECT "value", {named} FROM ({each})'  # noqa: S608 -- constants of this module
    link = links.to(links.EQUIPMENT, "This equipment", scope, equipment="equipment")
    columns = [
        Column("Time", "Measured", Look("dateTimeFromNow"), wide=150),
        Column("equipment", link=link),
        Column("kind", wide=110),
        Column("channel"),
        Column("value", "Value", Look("none", 2), wide=100),
    ]
    return table(words, columns, [InfluxTarget(query, table=True)], sort="Measured", wide=wide, tall=tall)
