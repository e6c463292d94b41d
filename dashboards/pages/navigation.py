"""Where the head of every page leads."""

from __future__ import annotations

from typing import Final, NamedTuple

from dashboards.pages.words import noop
from domain.access import Role


class Destination(NamedTuple):
    """One page that every page leads to."""

    section: str
    """What a template sets as its ``section`` to be shown as the place where one is."""
    address: str
    title: str
    """In English; translated where it is shown."""
    role: Role
    """Who sees it."""


NAVIGATION: Final = (
    Destination("overview", "/", noop("Overview"), Role.VIEWER),
    Destination("map", "/map", noop("Map"), Role.VIEWER),
    Destination("places", "/places", noop("Places"), Role.VIEWER),
    Destination("alerts", "/alerts", noop("Alerts"), Role.VIEWER),
    Destination("registry", "/registry", noop("Registry"), Role.VIEWER),
    Destination("rules", "/rules", noop("Rules"), Role.VIEWER),
    Destination("maintenance", "/maintenance", noop("Maintenance"), Role.VIEWER),
    Destination("people", "/people", noop("People"), Role.MANAGER),
)
