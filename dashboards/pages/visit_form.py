"""The form that corrects an entry of the visit log. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.pages.forms import Choice
from domain.directory import Directory
from domain.upkeep import Visit


@dataclass(frozen=True, slots=True)
class VisitForm:
    """What the form holds."""

    entry: Visit
    facility_name: str
    at: str
    """As a form's field holds it, by the clock of the facility."""
    equipment: tuple[Choice, ...]


def visit_form(entry: Visit, directory: Directory, at: str) -> VisitForm:
    """Return the form of an entry as it stands."""
    equipment = tuple(Choice(each.id, each.name) for each in directory.equipment_of(entry.facility))
    return VisitForm(entry, directory.facilities[entry.facility].name, at, equipment)
