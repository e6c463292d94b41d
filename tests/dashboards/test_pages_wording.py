"""How pages say times and durations, and that every text is escaped."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.pages.assets import read_assets
from dashboards.pages.render import Pages, path_segment
from dashboards.pages.wording import ago_text, duration_text, local_time
from dashboards.pages.words import ENGLISH
from domain.instant import DAY_MS, HOUR_MS, MINUTE_MS, to_ms

NOW_MS = to_ms(datetime(2026, 11, 20, 12, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("duration_ms", "text"),
    [
        (0, "under 1 min"),
        (35 * MINUTE_MS, "35 min"),
        (2 * HOUR_MS, "2 h"),
        (2 * HOUR_MS + 10 * MINUTE_MS, "2 h 10 min"),
        (14 * HOUR_MS + 10 * MINUTE_MS, "14 h"),
        (3 * DAY_MS, "3 d"),
    ],
)
def test_durations_are_as_fine_as_a_person_wants(duration_ms: int, text: str) -> None:
    """Minutes matter for hours, not for days."""
    assert duration_text(duration_ms, words=ENGLISH) == text


def test_what_never_came_is_never() -> None:
    """An age of nothing is a word."""
    assert ago_text(None, NOW_MS, words=ENGLISH) == "never"
    assert ago_text(NOW_MS - 1, NOW_MS, words=ENGLISH) == "just now"


def test_times_are_local_to_the_facility() -> None:
    """Noon in UTC is three in the afternoon in Kampala; machines get the exact moment."""
    shown = local_time(NOW_MS, "Africa/Kampala", NOW_MS, words=ENGLISH)
    assert (shown.text, shown.zone, shown.iso) == ("Fri 20 Nov 15:00", "EAT", "2026-11-20T12:00:00Z")


@pytest.mark.parametrize("name", ["", "Mars/Phobos", "../../etc/passwd", "/etc/localtime", "\x00", "Africa"])
def test_an_unknown_zone_is_utc(name: str) -> None:
    """A zone that the machine does not know shows UTC and says so."""
    assert local_time(NOW_MS, name, NOW_MS, words=ENGLISH).zone == "UTC"


@given(st.text(max_size=40))
def test_an_id_stands_in_an_address_without_changing_its_meaning(id_: str) -> None:
    """Nothing in an id can end the path or the attribute it stands in."""
    assert not set(path_segment(id_)) & set("\"'<>?#&; \\")


def test_assets_are_addressed_by_content() -> None:
    """The address of a file changes with its content, and only with it."""
    assets = read_assets()
    assert {"vitals.css", "vitals.js", "icon.svg", "vendor/uplot/uPlot.iife.min.js"} <= assets.keys()
    assert Pages(assets).asset_url("vitals.css").endswith(assets["vitals.css"].version)
