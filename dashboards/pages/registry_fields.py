"""The fields of the forms that change the registry. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from zoneinfo import available_timezones

from dashboards.pages.equipment import limit_name
from dashboards.pages.forms import Choice, Field
from dashboards.pages.wording import kind_word, quantity_word
from dashboards.pages.words import Words
from domain.directory import Directory
from domain.places import Channel, EquipmentKind, Node
from domain.quantities import QUANTITIES


def facility_fields(directory: Directory, words: Words, *, new: bool) -> list[Field]:
    """Return the fields of a facility; places are suggested from those that are known."""
    known = directory.facilities.values()
    places = {part: _suggestions(getattr(each, part) for each in known) for part in ("country", "region", "district")}
    used = sorted({each.timezone for each in known})
    zones = [Choice(name, name, words("In use here")) for name in used]
    every = sorted(name for name in available_timezones() if "/" in name or name == "UTC")
    zones += [Choice(name, name, words("All")) for name in every if name not in used]
    first = {part: (choices[0].value if len(choices) == 1 and new else "") for part, choices in places.items()}
    degrees = words("In degrees, such as {example}; south and west are negative", example="0.18")
    return [
        Field(name="name", label=words("Name"), required=True),
        *([_id_field(words, "kasese-hc3")] if new else []),
        *(
            Field(name=part, label=label, kind="list", choices=places[part], value=first[part], required=True)
            for part, label in (
                ("country", words("Country")),
                ("region", words("Region")),
                ("district", words("District")),
            )
        ),
        Field(
            name="timezone", label=words("Time zone"), kind="select", choices=zones, value=used[0] if used else "UTC"
        ),
        Field(name="latitude", label=words("Latitude"), hint=degrees, longest=20),
        Field(name="longitude", label=words("Longitude"), longest=20),
    ]


def equipment_fields(directory: Directory, words: Words, *, new: bool) -> list[Field]:
    """Return the fields of a piece of equipment; models are suggested from those that are known."""
    kinds = sorted((Choice(kind.value, kind_word(kind, words)) for kind in EquipmentKind), key=lambda each: each.label)
    models = _suggestions(each.model for each in directory.equipment.values())
    return [
        Field(name="name", label=words("Name"), required=True),
        *([_id_field(words, "fridge-2")] if new else []),
        Field(name="kind", label=words("Kind"), kind="select", choices=kinds, value=EquipmentKind.FRIDGE.value),
        Field(name="model", label=words("Model"), kind="list", choices=models),
        Field(name="serial", label=words("Serial number")),
        Field(
            name="pqs_code",
            label=words("WHO PQS code"),
            hint=words("Such as {example}", example="E003/045"),
            longest=20,
        ),
        Field(
            name="installed",
            label=words("Installed on"),
            kind="date",
            hint=words("Such as {example}", example="2024-05-31"),
        ),
    ]


def channel_fields(nodes: Sequence[Node], words: Words, *, new: bool) -> list[Field]:
    """Return the fields of a channel, without its limits."""
    quantities = sorted((Choice(name, quantity_word(name, words)) for name in QUANTITIES), key=lambda each: each.label)
    choices = [Choice(node.id, words.isolated(f"{node.name} ({node.id})" if node.name else node.id)) for node in nodes]
    fresh = [
        Field(name="quantity", label=words("What is measured"), kind="select", choices=quantities, value="temperature"),
        Field(
            name="id",
            label=words("Short name"),
            hint=words("Only where one piece of equipment has two of a quantity, such as {example}", example="freezer"),
            longest=64,
        ),
    ]
    return [
        *(fresh if new else []),
        Field(name="node", label=words("Node that reports it"), kind="select", choices=choices),
        Field(
            name="name",
            label=words("Name that the node gives it"),
            hint=words("Such as {example}", example="fridge-1/temperature"),
        ),
        Field(
            name="interval",
            label=words("A reading is expected every"),
            hint=words("Such as {example}", example="10min"),
            value="10min",
            required=True,
            longest=20,
        ),
    ]


def limit_fields(channel: Channel, inherited: Mapping[str, str], words: Words) -> list[Field]:
    """Return the fields of a channel's own limits; ``inherited`` says what holds where a field is empty."""
    unit = channel.quantity.unit.text or channel.quantity.unit.name
    names = dict.fromkeys(("low", "high", *channel.own_limits, *inherited))
    more = words("In {unit}, or a number with its unit; none: no such limit.", unit=unit)
    fields = [
        Field(
            name=f"limit.{name}",
            label=limit_name(name, words),
            hint=" ".join(filter(None, (more, inherited.get(name, "")))),
            longest=40,
        )
        for name in names
    ]
    return [
        *fields,
        Field(name="reason", label=words("Why"), required=True, longest=500),
        Field(
            name="from",
            label=words("In force from"),
            kind="datetime-local",
            hint=words("By the clock of the facility; empty: from now on. An earlier moment judges the past anew."),
        ),
    ]


def _id_field(words: Words, example: str) -> Field:
    hint = words(
        "Small letters and digits, such as {example}; empty: made from the name. It stays for ever.", example=example
    )
    return Field(name="id", label=words("Short name"), hint=hint, longest=64)


def _suggestions(names: Iterable[str]) -> list[Choice]:
    return [Choice(name, name) for name in sorted({each for each in names if each})]
