"""From view models to HTML; every text is escaped, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dashboards.pages.alert import AlertPage
from dashboards.pages.alerts import AlertsPage
from dashboards.pages.assets import Asset
from dashboards.pages.facility import FacilityPage
from dashboards.pages.overview import Overview
from dashboards.pages.series import RANGES
from dashboards.pages.wording import SERVICE_WORDS

TEMPLATES_FOLDER = Path(__file__).parent / "templates"
STATIC_PATH = "/static/"


class Pages:
    """Writes pages; built once."""

    def __init__(self, assets: Mapping[str, Asset], notice: Callable[[], str] = str) -> None:
        self._assets = assets
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES_FOLDER, encoding="utf-8"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["path"] = path_segment
        self._templates.globals.update(
            asset=self.asset_url, notice=notice, service_words=SERVICE_WORDS, ranges=tuple(RANGES.values())
        )

    def asset_url(self, name: str) -> str:
        """Return the address of a static file, which changes with its content."""
        return f"{STATIC_PATH}{name}?v={self._assets[name].version}"

    def overview(self, view: Overview, *, live: bool, waiting: int) -> str:
        """Return the overview; with ``live`` only what a page in a browser replaces."""
        return self._write("overview.html", live, view=view, waiting=waiting, person="")

    def facility(self, view: FacilityPage, *, live: bool, waiting: int, person: str) -> str:
        """Return the page of one facility."""
        return self._write("facility.html", live, view=view, waiting=waiting, person=person)

    def alerts(self, view: AlertsPage, *, live: bool, waiting: int, person: str) -> str:
        """Return the list of alerts."""
        return self._write("alerts.html", live, view=view, waiting=waiting, person=person)

    def alert(self, view: AlertPage, *, live: bool, waiting: int, person: str) -> str:
        """Return the page of one alert."""
        return self._write("alert.html", live, page=view, waiting=waiting, person=person)

    def error(self, status: HTTPStatus, sentence: str) -> str:
        """Return the page that says what went wrong."""
        return self._write("error.html", live=False, status=status, sentence=sentence, waiting=0, person="")

    def _write(self, template: str, live: bool, **values: Any) -> str:
        return self._templates.get_template(template).render(live=live, **values)


def path_segment(id_: object) -> str:
    """Return an id as it stands in an address; slashes stay."""
    return quote(str(id_), safe="/", errors="replace")
