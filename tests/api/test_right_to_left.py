"""Pages in translation: directions, plurals, values as people write them, and names that stay names."""

from __future__ import annotations

import dataclasses
import html
from collections import Counter
from datetime import timedelta

import httpx
import pytest

from api.create import create_api
from dashboards.pages.overview import headline
from dashboards.pages.status import Status
from dashboards.pages.wording import ago_text, duration_text, local_time, number_text, value_text
from dashboards.pages.words import ENGLISH, Words
from domain.episode import Severity
from domain.instant import HOUR_MS, MINUTE_MS, to_ms
from domain.places import EquipmentKind
from domain.quantities import QUANTITIES
from tests.api.world import NOON, World
from tests.dashboards.test_pages_words import words_in

HTML = {"accept": "text/html"}
NOON_MS = to_ms(NOON)
HOSTILE = "<b>{name} %(x)s %s</b> & ‏عيادة"


@pytest.fixture(scope="module")
def arabic() -> Words:
    """Return the words of Arabic."""
    return words_in("ar")


async def shown(world: World, path: str, language: str) -> str:
    """Return a page as it is sent."""
    transport = httpx.ASGITransport(create_api(world.services()))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        return (await client.get(path, headers=HTML | {"accept-language": language})).text


async def test_arabic_runs_from_right_to_left(world: World) -> None:
    """The whole page; a drawing has no direction of its own to lose, and English does not change."""
    assert '<html lang="ar" dir="rtl">' in await shown(world, "/alerts", "ar")
    assert '<html lang="fr" dir="ltr">' in await shown(world, "/alerts", "fr")


async def test_values_and_names_stay_whole_in_arabic(world: World) -> None:
    """A sign before its number and a unit behind it would otherwise change sides."""
    page = html.unescape(await shown(world, "/alerts/4821", "ar"))
    assert "\u206811.3 °C\u2069" in page
    assert "<bdi>Kasese Health Centre III</bdi>" in page


def test_a_sentence_of_a_rule_keeps_its_values_whole(arabic: Words) -> None:
    """Whatever stands between, also in the middle of a word that runs from right to left."""
    assert arabic.with_values_isolated("أعلى من -8.5 °C منذ 2 h") == "أعلى من \u2068-8.5 °C\u2069 منذ \u20682 h\u2069"
    assert ENGLISH.with_values_isolated("above 8 °C") == "above 8 °C"


def test_a_name_that_runs_the_other_way_is_isolated_in_every_language() -> None:
    """An Arabic name in an English sentence turns nothing round."""
    assert ENGLISH.isolated("عيادة") == "\u2068عيادة\u2069"
    assert ENGLISH.isolated("Fridge 1") == "Fridge 1"


@pytest.mark.parametrize(
    ("hours", "said"),
    [(1, "ساعة"), (2, "ساعتين"), (3, "3 ساعات"), (11, "11 ساعة"), (26, "26 ساعة")],
)
def test_arabic_counts_in_its_own_forms(arabic: Words, hours: int, said: str) -> None:
    """One and two are words; few and many differ."""
    assert duration_text(hours * HOUR_MS, arabic) == said


def test_a_headline_has_another_form_for_one_two_few_many_and_hundreds(arabic: Words) -> None:
    """Also where the number stands in all of them but two."""
    said = {_headline_of(count, arabic) for count in (1, 2, 3, 11, 100)}
    assert len(said) == 5


def _headline_of(helpless: int, words: Words) -> str:
    """Return the first sentence of a country in which so many of 200 facilities need help, without that number."""
    totals = Counter({Status.CRITICAL: helpless, Status.OK: 200 - helpless})
    return headline(totals, 200, words).replace(str(helpless), "N", 1)


@pytest.mark.parametrize(
    ("language", "value", "moment", "ago"),
    [
        ("en", "1,234.5 V", "Fri 20 Nov 15:00", "2 h 10 min ago"),
        ("fr", "1\u202f234,5 V", "ven. 20 nov. 15:00", "il y a 2 h 10 min"),
        ("pt", "1.234,5 V", "sex. 20 nov. 15:00", "há 2 h 10 min"),
        ("sw", "1,234.5 V", "Ijumaa 20 Nov 15:00", "saa 2 dak 10 zilizopita"),
        ("ar", "\u20681,234.5 V\u2069", "الجمعة 20 نوفمبر 15:00", "قبل ساعتين و10 دقائق"),
    ],
)
def test_values_moments_and_ages_are_written_as_people_write_them(
    language: str, value: str, moment: str, ago: str
) -> None:
    """With the digits 0 to 9 in every language, and the day before the month."""
    words = words_in(language)
    assert value_text(QUANTITIES["voltage"], 1234.5, words) == value
    assert local_time(NOON_MS, "Africa/Kampala", NOON_MS, words).text == moment
    assert ago_text(NOON_MS - 2 * HOUR_MS - 10 * MINUTE_MS, NOON_MS, words) == ago


def test_a_number_below_zero_has_its_sign_before_it() -> None:
    """Written as one piece, which is isolated with its unit."""
    assert number_text(-18.25, 1, words=words_in("fr")) in ("-18,2", "-18,3")


@pytest.mark.parametrize("language", ["en", "fr", "pt", "sw", "ar"])
async def test_a_name_changes_no_translation(language: str) -> None:
    """Not by tags, not by what fields of sentences are written with, not by its direction."""
    world = World(days=0)
    world.add_facility("naughty", HOSTILE, district=HOSTILE)
    fridge = world.add_channel("naughty", EquipmentKind.FRIDGE, HOSTILE, "temperature", {"high": 8.0})
    world.take(fridge, 9.4)
    world.raise_alert("heat", Severity.CRITICAL, "naughty", fridge, timedelta(hours=1), extreme=9.4)
    number = max(world.alert_by_id)
    world.alert_by_id[number] = dataclasses.replace(
        world.alert_by_id[number], acknowledged_by=HOSTILE, acknowledged_at=NOON
    )
    for path in ("/", "/map", "/alerts", f"/alerts/{number}", "/facilities/naughty"):
        page = await shown(world, path, language)
        assert "<b>{name}" not in page
        assert html.escape(HOSTILE, quote=False) in page.replace("&#34;", '"')
