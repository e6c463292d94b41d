"""What Prometheus is told: names that its own tool accepts, and figures that do not lie when a facility is silent."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert
from sqlalchemy.exc import OperationalError

from alerts.tables import NOTIFICATIONS
from app.config import ServiceConfig
from app.documents import read_document
from app.rulebook import read_rules
from app.stories.clock import HandClock
from app.stories.play import USUAL_SETTINGS
from app.stories.schedule import Arrival
from app.stories.service import Service
from domain.episode import Severity
from domain.instant import HOUR_MS, MINUTE_MS, to_datetime
from domain.reading import Batch, Sample
from domain.senml import WireFormat, encode
from domain.topics import UpLane
from tests.app.scraping import metrics_of
from tests.cases.folders import CASES

START_MS = 1_772_431_200_000
DOCUMENT = Path(__file__).parents[2] / "docs" / "measures.md"
OLDEST = "vitals_alert_oldest_unanswered_critical_seconds"
ESCALATIONS = "vitals_alert_escalations_total"
UNDELIVERABLE = "vitals_notifications_undeliverable_total"
WAITING = "vitals_notifications_waiting"
KEYS = {"country": "Uganda", "region": "Western", "district": "Kasese"}


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    """Give a service with a clinic and a hospital, of which nothing has been heard."""
    config = ServiceConfig.model_validate({**USUAL_SETTINGS, "data": tmp_path / "data"})
    registry = read_document(CASES / "clinic.yaml")
    service = Service(config, read_rules(config.rules), registry, HandClock(START_MS))
    await service.open()
    yield service
    await service.close()


async def say(service: Service, seq: int, **values: float) -> None:
    """Let the clinic's node say what it measures now."""
    names = {"fridge": "fridge-1/temperature", "second": "fridge-2/temperature", "mains": "mains/supply"}
    now_ms = service.clock.now_ms()
    samples = tuple(Sample(names[name], now_ms, value) for name, value in values.items())
    payload = encode(Batch("clinic-1", "e", seq, samples), format=WireFormat.JSON)
    await service.take(Arrival(now_ms, "clinic-1", UpLane.LIVE, payload))


async def hot_fridge(service: Service) -> None:
    """Let a fridge be too warm for an hour, without power."""
    await say(service, 1, fridge=9, second=5, mains=0)
    for minute in range(1, 60):
        await service.let_pass(START_MS + minute * MINUTE_MS)
        await say(service, minute + 1, fridge=9, second=5, mains=0)


def a_message(channel: str, now: datetime) -> dict[str, Any]:
    """Return a test message that is due, as a row."""
    texts = dict.fromkeys(("address", "reason", "subject", "short_text", "long_text", "delivery_reference"), "")
    row: dict[str, Any] = {
        "key": f"test-{channel}",
        "kind": "test",
        "contact": "amina",
        "channel": channel,
        "fallbacks": "[]",
    }
    row |= {"facts": "{}", "state": "queued", "attempts": 0, "last_error": ""} | texts
    return row | dict.fromkeys(("queued_at", "next_attempt_at", "deadline"), now)


async def figures(service: Service) -> dict[str, dict[str, float]]:
    """Return the facility gauges: by name, by facility."""
    await service.parts.judgement.open_alerts.refresh()
    await service.parts.web.board.refresh()
    text = (await metrics_of(service)).decode()
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if family.name.startswith("vitals_facility_") and "service" not in sample.labels:
                assert sample.labels.items() >= KEYS.items()
                found.setdefault(family.name, {})[sample.labels["facility"]] = sample.value
    return found


async def test_a_facility_that_was_never_heard_is_zero(service: Service) -> None:
    """Registered and silent is 0 in every series, never nothing."""
    found = await figures(service)
    assert found["vitals_facility_up"] == {"clinic": 0, "hospital": 0}
    assert found["vitals_facility_power_available"] == {"clinic": 0}
    assert found["vitals_facility_cold_chain_ok"] == {"clinic": 0, "hospital": 0}
    assert found["vitals_facility_water_available"] == {"clinic": 0}
    assert found["vitals_facility_last_seen_timestamp_seconds"] == {"clinic": 0, "hospital": 0}


async def test_a_facility_that_falls_silent_goes_to_zero(service: Service) -> None:
    """What was well when it was last heard is not well when it is not heard."""
    await say(service, 1, fridge=5, second=5, mains=1)
    found = await figures(service)
    assert found["vitals_facility_up"] == {"clinic": 1, "hospital": 0}
    assert found["vitals_facility_power_available"] == {"clinic": 1}
    assert found["vitals_facility_cold_chain_ok"] == {"clinic": 1, "hospital": 0}
    assert found["vitals_facility_last_seen_timestamp_seconds"]["clinic"] == START_MS / 1000
    await service.let_pass(START_MS + 2 * HOUR_MS)
    found = await figures(service)
    assert found["vitals_facility_up"] == {"clinic": 0, "hospital": 0}
    assert found["vitals_facility_power_available"] == {"clinic": 0}
    assert found["vitals_facility_cold_chain_ok"]["clinic"] == 0
    assert found["vitals_facility_last_seen_timestamp_seconds"]["clinic"] == START_MS / 1000


async def test_an_outage_is_no_power_whatever_its_severity(service: Service) -> None:
    """A facility whose mains are off and that has nothing else is without power, at once."""
    await say(service, 1, fridge=5, second=5, mains=1)
    await service.let_pass(START_MS + MINUTE_MS)
    await say(service, 2, fridge=5, second=5, mains=0)
    found = await figures(service)
    assert found["vitals_facility_power_available"] == {"clinic": 0}
    assert found["vitals_facility_up"]["clinic"] == 1
    await service.let_pass(START_MS + 2 * MINUTE_MS)
    await say(service, 3, fridge=5, second=5, mains=1)
    assert (await figures(service))["vitals_facility_power_available"] == {"clinic": 1}


async def test_outages_and_watched_time_are_told_from_the_first_scrape_on(service: Service) -> None:
    """Registered and silent is 0 for every service; an outage counts, its seconds grow, and silence stops them."""

    async def told(name: str) -> dict[tuple[str, str], float]:
        await service.parts.judgement.open_alerts.refresh()
        await service.parts.web.board.refresh()
        families = text_string_to_metric_families((await metrics_of(service)).decode())
        samples = [sample for family in families for sample in family.samples if sample.name == name]
        return {(each.labels["facility"], each.labels["service"]): each.value for each in samples}

    outages, seconds = "vitals_facility_outages_total", "vitals_facility_outage_seconds_total"
    watched = {("clinic", "power"), ("clinic", "cold_chain"), ("clinic", "water"), ("clinic", "monitoring")}
    watched |= {("hospital", "cold_chain"), ("hospital", "monitoring")}
    for name in (outages, seconds, "vitals_facility_observed_seconds_total"):
        assert await told(name) == dict.fromkeys(watched, 0)
    await say(service, 1, fridge=5, second=5, mains=1)
    await told(outages)
    await service.let_pass(START_MS + MINUTE_MS)
    await say(service, 2, fridge=5, second=5, mains=0)
    await told(outages)
    await service.let_pass(START_MS + 3 * MINUTE_MS)
    assert (await told(outages))["clinic", "power"] == 1
    assert (await told(seconds))["clinic", "power"] == 120
    assert (await told("vitals_facility_observed_seconds_total"))["clinic", "power"] == 180
    await service.let_pass(START_MS + HOUR_MS)
    before = await told(seconds)
    await service.let_pass(START_MS + 2 * HOUR_MS)
    after = await told(seconds)
    assert after["clinic", "power"] == before["clinic", "power"]
    assert after["clinic", "monitoring"] == before["clinic", "monitoring"] + 3600


async def test_cold_chain_time_is_told_in_appliance_seconds(service: Service) -> None:
    """What live readings cover, of both fridges together; nothing yet is 0."""
    name = "vitals_cold_chain_{}_seconds_total"

    async def told() -> dict[tuple[str, str], float]:
        families = text_string_to_metric_families((await metrics_of(service)).decode())
        samples = [sample for family in families for sample in family.samples]
        return {
            (each.labels["facility"], word): each.value
            for word in ("observed", "in_range")
            for each in samples
            if each.name == name.format(word)
        }

    assert set((await told()).values()) == {0}
    await say(service, 1, fridge=5, second=9)
    await service.let_pass(START_MS + MINUTE_MS)
    await say(service, 2, fridge=5, second=9)
    found = await told()
    assert (found["clinic", "observed"], found["clinic", "in_range"]) == (120, 60)
    assert (found["hospital", "observed"], found["hospital", "in_range"]) == (0, 0)


async def test_the_service_tells_how_its_own_work_goes(service: Service) -> None:
    """Lags and step times grow with the work; a store that fails is counted under its name."""
    text = (await metrics_of(service)).decode()
    before = {
        (each.name, *each.labels.values()): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
    }
    await say(service, 1, fridge=5)
    with pytest.raises(OperationalError):
        async with service.parts.ground.database.connect() as connection:
            await connection.exec_driver_sql("SELECT 1 FROM nowhere")
    text = (await metrics_of(service)).decode()
    after = {
        (each.name, *each.labels.values()): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
    }
    gained = {key: value - before[key] for key, value in after.items() if value != before[key]}
    assert gained["vitals_ingest_lag_seconds_count",] == 1
    assert gained["vitals_receipt_lag_seconds_count",] == 1
    assert gained["vitals_judge_steps_total",] >= 1
    assert gained["vitals_judge_step_seconds_total",] > 0
    assert gained["vitals_store_errors_total", "sql"] == 1
    assert after["vitals_store_errors_total", "journal"] == 0
    assert after["vitals_notification_delivery_seconds_count", "console"] == 0
    assert after["process_start_time_seconds",] > 0


async def test_names_and_promises_are_told(tmp_path: Path) -> None:
    """Each facility has its name, and a target where one is promised for a service that is watched."""
    target = {"ratio": 0.95, "facility": "clinic", "service": "power"}
    config = ServiceConfig.model_validate(
        {**USUAL_SETTINGS, "data": tmp_path / "data", "sla": {"targets": [target, {"ratio": 0.5, "service": "water"}]}}
    )
    service = Service(config, [], read_document(CASES / "clinic.yaml"), HandClock(START_MS))
    await service.open()
    families = text_string_to_metric_families((await metrics_of(service)).decode())
    found = {family.name: family.samples for family in families}
    await service.close()
    targets = {
        (each.labels["facility"], each.labels["service"]): each.value
        for each in found["vitals_facility_uptime_target_ratio"]
    }
    assert targets == {("clinic", "power"): 0.95, ("clinic", "water"): 0.5}
    names = {(each.labels["facility"], each.labels["name"], each.value) for each in found["vitals_facility_info"]}
    assert ("clinic", service.parts.ground.directory().facilities["clinic"].name, 1) in names
    assert all(each.labels["timezone"] for each in found["vitals_facility_info"])


async def test_openmetrics_is_given_to_whoever_asks_for_it(service: Service) -> None:
    """A strict parser of that format finds the same families; units are those that the names end with."""
    await hot_fridge(service)
    await figures(service)
    text = (await metrics_of(service, accept="application/openmetrics-text; version=1.0.0")).decode()
    assert text.endswith("# EOF\n")
    assert text.count("# EOF") == 1
    found = {family.name: family for family in openmetrics.text_string_to_metric_families(text)}  # type: ignore[no-untyped-call]
    plain = {family.name for family in text_string_to_metric_families((await metrics_of(service)).decode())}
    assert found.keys() == plain
    assert found["vitals_facility_outage_seconds"].unit == "seconds"
    assert found["vitals_facility_outages"].type == "counter"
    assert not [name for name in text.split() if name.partition("{")[0].endswith("_created")]


async def test_a_facility_without_a_node_is_not_up(tmp_path: Path) -> None:
    """One that is registered before its node is there is not heard."""
    path = tmp_path / "registry.yaml"
    path.write_text("facilities: [{id: post, name: P, country: U, region: W, district: K}]\n", "utf-8")
    config = ServiceConfig.model_validate({**USUAL_SETTINGS, "data": tmp_path / "data"})
    service = Service(config, [], read_document(path), HandClock(START_MS))
    await service.open()
    text = (await metrics_of(service)).decode()
    await service.close()
    assert 'vitals_facility_up{country="U",district="K",facility="post",region="W"} 0.0' in text


async def alerting(service: Service) -> dict[str, dict[str, float]]:
    """Return the figures of alerts and messages: by name, by channel (empty for none)."""
    await service.parts.judgement.open_alerts.refresh()
    await service.parts.judgement.figures.refresh()
    text = (await metrics_of(service)).decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    names = (OLDEST, ESCALATIONS, UNDELIVERABLE, WAITING)
    return {
        name: {each.labels.get("channel", ""): each.value for each in samples if each.name == name} for name in names
    }


async def test_alerting_has_figures_while_nothing_happens(service: Service) -> None:
    """An alarm on a series that is not there would never ring: all are 0, for each configured channel."""
    assert await alerting(service) == {
        OLDEST: {"": 0},
        ESCALATIONS: {"": 0},
        UNDELIVERABLE: {"console": 0},
        WAITING: {"console": 0},
    }


async def test_a_critical_alert_that_nobody_answers_grows_old(service: Service) -> None:
    """Its age counts from when it was raised until somebody answers; a milder alert does not matter."""
    await hot_fridge(service)
    [alert] = [each for each in await service.alerts.alerts() if each.severity is Severity.CRITICAL]
    found = await alerting(service)
    assert found[OLDEST] == {"": service.clock.now_ms() / 1000 - alert.raised_at.timestamp()}
    assert found[OLDEST][""] > 0
    now = to_datetime(service.clock.now_ms())
    await service.alerts.acknowledge(alert.id, by="amina", now=now, origin="page")
    assert (await alerting(service))[OLDEST] == {"": 0}


async def test_messages_that_wait_and_that_fail(service: Service) -> None:
    """What waits for its channel is a gauge; once it is given up it is undeliverable, and waits no more."""
    outbox, now = service.alerts.outbox, to_datetime(START_MS)
    async with service.parts.ground.database.begin() as connection:
        await connection.execute(insert(NOTIFICATIONS), [a_message("console", now), a_message("pager", now)])
    assert (await alerting(service))[WAITING] == {"console": 1, "pager": 1}
    await outbox.abandon_unserved(["console"], now=now)
    found = await alerting(service)
    assert (found[WAITING], found[UNDELIVERABLE]) == ({"console": 1}, {"console": 0, "pager": 1})


async def test_the_document_names_what_is_exported(service: Service) -> None:
    """Every figure that docs/measures.md lists for Prometheus, and asks for in its alarms, is there."""
    await hot_fridge(service)
    await service.parts.judgement.open_alerts.refresh()
    await service.parts.judgement.dispatcher.dispatch_due()
    text = (await metrics_of(service)).decode()
    exported = {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}
    named = set(re.findall(r"vitals_[a-z_]+", DOCUMENT.read_text("utf-8")))
    assert len(named) >= 6
    assert named <= exported


async def test_promtool_accepts_every_name(service: Service) -> None:
    """Prometheus' own tool finds nothing to say about names, types and help texts."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed; the Debian package 'prometheus' has it")
    await hot_fridge(service)
    await service.parts.judgement.open_alerts.refresh()
    text = await metrics_of(service)
    assert b"vitals_alert_active{" in text
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)  # noqa: ASYNC221 - half a second, and nothing else runs
    assert (checked.returncode, checked.stderr.decode()) == (0, "")
