"""A day of a district, with a real Prometheus and a real Alertmanager beside the service.

The day itself was yesterday and is told by stored readings: its figures are a table made by hand. This minute is told
live: the rules are those that are deployed, with every window sixty times shorter, for the service's clock is real.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from app.demo.broker import embedded_broker
from app.prometheus_rules import write_rules
from dashboards.prometheus.rule import Setting
from dashboards.sla.targets import Target
from tests.system.a_day import MANY, TARGET, District, a_district
from tests.system.servers import prometheus
from tests.system.watchers import DEPLOY, Alert, Watchers, alertmanager, key, receivers, until

pytestmark = pytest.mark.system

PACE: Final = 75
ROUND_SECONDS: Final = 4
"""In which every group of rules but the slices has been evaluated once."""
RESENT: Final = "--rules.alert.resend-delay=2s"
"""What is sent before Prometheus knows its Alertmanager is lost, and sent again a minute later by default."""
ALLOWED: Final = 14.4 * (1 - TARGET)
DAY: Final = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=26)
END: Final = DAY + timedelta(days=1)


def every_ten(begin: int, end: int, value: float) -> list[tuple[float, float]]:
    """Return the same value every ten minutes of a stretch of the day's minutes."""
    return [((DAY + timedelta(minutes=minute)).timestamp(), value) for minute in range(begin, end, 10)]


async def tell_the_day(district: District) -> None:
    """Send what came of the day: the clinic's outage, the hospital's warm fridge; of the outpost only the morning.

    The clinic's mains were off from 6:00 to 9:30:45, the fridge was too warm from 15:00 to 17:20.
    """
    back = ((DAY + timedelta(minutes=570, seconds=45)).timestamp(), 1.0)
    power = [*every_ten(0, 360, 1), *every_ten(360, 570, 0), back, *every_ten(580, 1440, 1)]
    await district.send("clinic", "s", power, late=True)
    warm = [*every_ten(0, 900, 5), *every_ten(900, 1040, 9.5), *every_ten(1040, 1440, 5)]
    await district.send("hospital", "t", warm, late=True)
    await district.send("outpost", "s", every_ten(0, 720, 1), late=True)


async def upload_the_rest(district: District) -> None:
    """Send what the outpost measured while it was silent: an hour without power, from 13:00 on."""
    rest = [*every_ten(720, 780, 1), *every_ten(780, 840, 0), *every_ten(840, 1440, 1)]
    await district.send("outpost", "s", rest, late=True)


HOUR: Final = 3600
WHOLE: Final = (24 * HOUR, 0, 0)
CLINIC: Final = (24 * HOUR - (3 * HOUR + 30 * 60 + 45), 3 * HOUR + 30 * 60 + 45, 0)
HOSPITAL: Final = (24 * HOUR - 8400, 8400, 0)
HEARD: Final = 12 * HOUR + 600
"""The last reading of the morning is of 11:50 and says something for twenty minutes."""
SILENT: Final[Mapping[tuple[str, str], tuple[int, int, int]]] = {
    ("clinic", "power"): CLINIC,
    ("clinic", "monitoring"): WHOLE,
    ("hospital", "cold_chain"): HOSPITAL,
    ("hospital", "monitoring"): WHOLE,
    ("outpost", "power"): (HEARD, 0, 24 * HOUR - HEARD),
    ("outpost", "monitoring"): (HEARD, 24 * HOUR - HEARD, 0),
}
"""Seconds up, down and unknown, by hand, while the outpost's afternoon is not known."""
KNOWN: Final = {**SILENT, ("outpost", "power"): (23 * HOUR, HOUR, 0), ("outpost", "monitoring"): WHOLE}
"""The same once it is."""


def seconds(report: Mapping[str, Any]) -> dict[tuple[str, str], tuple[float, float, float]]:
    """Return a report's seconds up, down and unknown."""
    return {
        (facility["id"], service): (said["up_seconds"], said["down_seconds"], said["unknown_seconds"])
        for facility in report["facilities"]
        for service, said in facility["services"].items()
    }


def scraping(folder: Path, district: District, alertmanager_url: str) -> str:
    """Return the deployed configuration with the addresses of the story, every second."""
    text = (DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8")
    text = text.replace("127.0.0.1:8080", district.address.removeprefix("http://"))
    document = yaml.safe_load(text.replace("127.0.0.1:9093", alertmanager_url.removeprefix("http://")))
    document["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    document["scrape_configs"] = [each for each in document["scrape_configs"] if each["job_name"] == "vitals"]
    (folder / "prometheus").mkdir()
    (folder / "prometheus" / "vitals-token").write_text(district.token, "utf-8")
    recording, *_ = write_rules([Target(ratio=TARGET)], Setting(pace=PACE), folder / "prometheus" / "rules")
    rules = yaml.safe_load(recording.read_text("utf-8"))
    # Of six hours the first is over when the story is, or not: what begins in the midst of it is no growth.
    rules["groups"] = [each for each in rules["groups"] if each["name"] != "vitals-quarters"]
    recording.write_text(yaml.safe_dump(rules), "utf-8")
    return yaml.safe_dump(document)


@asynccontextmanager
async def everything(folder: Path) -> AsyncIterator[tuple[District, Watchers]]:
    """Run all of it; the facilities where all is well say so every other second."""
    async with (
        receivers() as (told_at, told),
        alertmanager(folder / "alertmanager", told_at) as alertmanager_url,
        embedded_broker() as broker,
        a_district(folder, alertmanager_url, broker) as district,
        prometheus(folder, scraping(folder, district, alertmanager_url), RESENT) as prometheus_url,
    ):
        done = asyncio.Event()
        others = asyncio.create_task(_be_well(district, done))
        try:
            yield district, Watchers(prometheus_url, alertmanager_url, told)
        finally:
            done.set()
            await others


async def _be_well(district: District, done: asyncio.Event) -> None:
    while not done.is_set():
        await district.say("s", 1, *MANY)
        await district.say("t", 5, *MANY)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), 2)


TROUBLES: Final = {
    ("VitalsFacilityBurn", "clinic", "power", "1h"),
    ("VitalsFacilityBurn", "hospital", "cold_chain", "1h"),
    ("VitalsFacilityBurn", "outpost", "monitoring", "1h"),
    ("VitalsFacilityBurn", "gulu-1", "power", "1h"),
    ("VitalsFacilityBurn", "gulu-2", "power", "1h"),
    ("VitalsRegionBurn", "Northern", "power", "1h"),
    ("warm", "hospital", "", ""),
}


async def test_a_day_of_a_district(tmp_path: Path) -> None:
    """A clinic and a region lose power, a fridge warms, an outpost falls silent and uploads later; and all is over."""
    async with everything(tmp_path) as (district, watchers):
        await tell_the_day(district)
        await all_is_well(district, watchers)
        await troubles_begin(district, watchers)
        before = await district.figures(DAY, END, "--issue")
        assert seconds(before) == SILENT
        await until(lambda: includes(watchers, TROUBLES), f"{TROUBLES} fire")
        await as_the_rules_say(watchers)
        await whoever_should_is_told(watchers)
        await troubles_end(district)
        await until(lambda: none_of_the_fast(watchers), "what was short is over")
        await the_second_time_adds_no_series(district, watchers)
        after = await district.figures(DAY, END)
        assert seconds(after) == KNOWN
        assert any(each.startswith("outpost power: ") for each in after["since_last_issue"]["changes"])
        # No link was not no power, at any moment.
        assert await watchers.asked('count_over_time(ALERTS{facility="outpost",service="power"}[5m])') == []
        outage = 'vitals_facility_outage_seconds_total{facility="outpost",service="power"}'
        assert await watchers.asked(f"{outage} > 0") == []
        assert not {
            each for each in await watchers.firing() if each[0] not in {"VitalsFacilityBurn", "VitalsRegionBurn"}
        }


async def includes(watchers: Watchers, wanted: set[tuple[str, str, str, str]]) -> bool:
    """Tell whether all of these fire."""
    return wanted <= await watchers.firing()


async def none_of_the_fast(watchers: Watchers) -> bool:
    """Tell whether nothing fires any more whose windows are an hour or six (a minute here, or six)."""
    return not {each for each in await watchers.firing() if each[3] in {"1h", "6h", ""}}


async def all_is_well(district: District, watchers: Watchers) -> None:
    """Everybody is heard, and of the outpost one message of half an hour ago got through: three intervals."""
    await district.say("s", 1, "clinic", "gulu-1", "gulu-2")
    await district.say("t", 5, "hospital")
    await district.send("outpost", "s", [(time.time() - 1790, 1)])
    heard = 'sum(vitals_facility_up{job="vitals"})'
    await until(lambda: equals(watchers, heard, 5 + len(MANY)), "everybody is up in Prometheus")
    assert not await watchers.firing() & TROUBLES


async def troubles_begin(district: District, watchers: Watchers) -> None:
    """Power goes, a fridge is warm; the outpost is silent by itself."""
    await until(lambda: equals(watchers, 'vitals_facility_up{facility="outpost"}', 0), "the outpost falls silent")
    assert await watchers.one('vitals_facility_power_available{facility="outpost"}') == 0
    await district.say("s", 0, "clinic", "gulu-1", "gulu-2")
    await district.say("t", 9.6, "hospital")


async def troubles_end(district: District) -> None:
    """Power is back, the fridge is cold, the outpost is heard and sends what it kept."""
    await district.say("s", 1, "clinic", "gulu-1", "gulu-2", "outpost")
    await district.say("t", 5, "hospital")
    await upload_the_rest(district)


async def equals(watchers: Watchers, expr: str, value: float) -> bool:
    """Tell whether an expression has one sample, and this value."""
    return [found for _, found in await watchers.asked(expr)] == [value]


async def as_the_rules_say(watchers: Watchers) -> None:
    """Each alert became active when both windows were beyond what is allowed, and not two evaluations before."""
    for metric, since in await watchers.asked('ALERTS_FOR_STATE{alertname="VitalsFacilityBurn",window="1h"}'):
        where = f'{{facility="{metric["facility"]}",service="{metric["service"]}"}}'
        beyond = " and ".join(
            f"facility_service:vitals_outage:ratio{window}{where} > {ALLOWED}" for window in ("1h", "5m")
        )
        assert await watchers.asked(beyond, since + 1), (metric, since)
        assert not await watchers.asked(beyond, since - 2), (metric, since)


async def whoever_should_is_told(watchers: Watchers) -> None:
    """A region is one page; its facilities are held back; everything of one place comes together."""
    await until(lambda: told(watchers, "duty", "VitalsRegionBurn"), "the duty is told of the region")
    await until(lambda: told(watchers, "facilities", "warm"), "what Vitals sends itself is told")
    await until(lambda: told(watchers, "facilities", "VitalsFacilityBurn"), "facilities are told of")
    await until(lambda: told(watchers, "outside", "VitalsWatchdog"), "the outside hears that all of this works")
    await until(lambda: held_back(watchers), "the region's facilities are held back")
    for message in watchers.told["facilities"]:
        assert set(message["groupLabels"]) in ({"facility"}, {"country", "region"})


async def told(watchers: Watchers, receiver: str, name: str) -> bool:
    """Tell whether a receiver heard of an alert of this name."""
    return any(name == alert["labels"]["alertname"] for alert in _all_told(watchers, receiver))


def _all_told(watchers: Watchers, receiver: str) -> Iterator[Alert]:
    for message in watchers.told.get(receiver, ()):
        yield from message["alerts"]


async def held_back(watchers: Watchers) -> bool:
    """Tell whether those alerts, and only those, are suppressed that a region explains."""
    states = {key(each): each["status"]["state"] for each in await watchers.alerts()}
    hours = {each: state for each, state in states.items() if each[0] == "VitalsFacilityBurn" and each[3] == "1h"}
    return bool(hours) and all((state == "suppressed") == each[1].startswith("gulu") for each, state in hours.items())


async def the_second_time_adds_no_series(district: District, watchers: Watchers) -> None:
    """What was once recorded of an outage is what is recorded of the next."""
    await until(lambda: there_is(watchers, "facility_service:vitals_availability:ratio1d"), "hours are recorded")
    await until(lambda: there_is(watchers, "region_service:vitals_outage:ratio3d"), "so are the longest windows")
    await asyncio.sleep(ROUND_SECONDS)
    before = await watchers.head_series()
    await district.say("s", 0, "clinic")
    await until(lambda: includes(watchers, {("VitalsFacilityBurn", "clinic", "power", "1h")}), "the clinic burns again")
    assert await watchers.head_series() == before
    await district.say("s", 1, "clinic")


async def there_is(watchers: Watchers, expr: str) -> bool:
    """Tell whether an expression has samples."""
    return bool(await watchers.asked(expr))
