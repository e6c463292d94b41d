"""A certificate that runs out is told in time: by every command that shows certificates, in the log, to Prometheus."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.certificate_watch import CertificateWatch
from app.check import check_everything
from app.config import BROKER_CERTIFICATE_FILE, ServiceConfig, read_config
from app.database import open_database
from app.documents import read_document
from app.issuing.authority import AUTHORITY_LASTS, CERTIFICATE_LASTS
from app.issuing.broker import write_broker_config
from app.issuing.expiry import WARN_BEFORE, Expiry, Holder, warnings
from app.issuing.mosquitto import Places
from app.issuing.provisioning import add_node, list_credentials, revoke_node
from app.rulebook import read_rules
from app.stories.clock import HandClock
from app.stories.play import USUAL_SETTINGS
from app.stories.service import Service
from domain.errors import OperatorError
from domain.instant import to_ms
from registry.credentials import CredentialStore
from tests.app.scraping import metrics_of
from tests.cases.folders import CASES

NOW = datetime(2026, 3, 1, tzinfo=UTC)
END = NOW + CERTIFICATE_LASTS
DAY = timedelta(days=1)


async def add(config: ServiceConfig, node: str, *, now: datetime = NOW, overlap: timedelta | None = None) -> None:
    """Issue a certificate to a node."""
    out = config.data / f"{node}-{now:%Y%m%d}"
    await add_node(
        config, node, broker="mqtts://broker:8883", by_password=False, out=out, now=now, overlap=overlap, say=print
    )


async def write_broker(config: ServiceConfig, *, now: datetime = NOW) -> None:
    """Write a broker's files."""
    await write_broker_config(
        config, "mosquitto", config.data / "broker", hosts=["broker"], places=Places(), now=now, say=print
    )


@pytest.fixture
async def config(tmp_path: Path) -> ServiceConfig:
    """Return the configuration of a service that issued certificates to two nodes and the broker."""
    (tmp_path / "vitals.yaml").write_text("data: data\n", "utf-8")
    config = read_config(tmp_path / "vitals.yaml", {})
    await add(config, "n1")
    await add(config, "n2")
    await write_broker(config)
    return config


async def worth_a_look(config: ServiceConfig, now: datetime) -> list[str]:
    """Return what ``vitals check`` finds worth a look about certificates."""
    said: list[str] = []
    await check_everything(config, now=now, say=said.append)
    return [line for line in said if "certificate" in line]


async def shown(config: ServiceConfig, now: datetime) -> dict[str, str]:
    """Return the lines about certificates of ``vitals node credentials``, by their first word."""
    said: list[str] = []
    await list_credentials(config, now=now, say=said.append)
    return {line.split()[0]: line for line in said if "certificate" in line}


async def test_thirty_days_before_it_is_worth_a_look(config: ServiceConfig) -> None:
    """Nothing is said before; then of nodes and broker, with what to do; and still when it is too late."""
    assert await worth_a_look(config, END - WARN_BEFORE) == []
    said = "\n".join(await worth_a_look(config, END - WARN_BEFORE + DAY))
    assert f"the broker's certificate runs out on {END:%Y-%m-%d}; `vitals broker config`" in said
    assert f"the certificate of node n1, n2 runs out on {END:%Y-%m-%d} or later; `vitals node rotate`" in said
    assert "node n1, n2 ran out" in "\n".join(await worth_a_look(config, END + DAY))


async def test_what_was_issued_anew_or_revoked_is_not_told(config: ServiceConfig) -> None:
    """A rotated node, a revoked node and a broker whose files were written again need nobody."""
    soon = END - DAY
    await add(config, "n1", now=soon, overlap=timedelta(days=7))
    await revoke_node(config, "n2", now=soon, say=print)
    await write_broker(config, now=soon)
    assert await worth_a_look(config, soon) == []


async def test_credentials_show_what_is_over(config: ServiceConfig) -> None:
    """Broker and authority stand in the list too, and one that ran out does not vanish from it."""
    lines = await shown(config, NOW)
    assert sorted(lines) == ["(authority)", "(broker)", "n1", "n2"]
    assert not any("OVER" in line for line in lines.values())
    assert (await shown(config, END - DAY))["(broker)"].endswith("SOON OVER")
    assert {name for name, line in (await shown(config, END)).items() if line.endswith(" OVER")} == {
        "(broker)",
        "n1",
        "n2",
    }


async def test_the_log_warns_at_the_start_and_daily(config: ServiceConfig, caplog: pytest.LogCaptureFixture) -> None:
    """Looking more often does not warn more often."""
    clock = HandClock(to_ms(END - 2 * DAY))
    async with open_database(config.database_url) as database:
        watch = CertificateWatch(config, CredentialStore(database), clock)
        warned = []
        with caplog.at_level(logging.WARNING):
            for _ in range(4):
                await watch.look()
                warned.append(len(caplog.records))
                clock.move(timedelta(hours=12))
    assert warned == [2, 2, 4, 4]
    assert {(each.holder, each.name) for each in watch.found} == {
        (Holder.AUTHORITY, ""),
        (Holder.BROKER, ""),
        (Holder.NODE, "n1"),
        (Holder.NODE, "n2"),
    }


def test_many_nodes_are_one_sentence() -> None:
    """The most urgent are named, the others counted."""
    found = [Expiry(Holder.NODE, f"n{n}", NOW + timedelta(hours=n)) for n in range(500)]
    (sentence,) = warnings(found, NOW + 300 * DAY)
    assert "n0, n1, n2, n3, n4, n5, n6, n7, n8, n9 and of 490 more" in sentence


async def test_a_file_that_is_no_certificate_is_named(config: ServiceConfig) -> None:
    """One sentence with the path."""
    (config.data / BROKER_CERTIFICATE_FILE).write_text("nothing", "utf-8")
    with pytest.raises(OperatorError, match=r"broker\.pem cannot be read as a certificate"):
        await worth_a_look(config, NOW)


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    """Give a service."""
    config = ServiceConfig.model_validate({**USUAL_SETTINGS, "data": tmp_path / "data"})
    registry = read_document(CASES / "clinic.yaml")
    service = Service(config, read_rules(config.rules), registry, HandClock(to_ms(NOW)))
    await service.open()
    yield service
    await service.close()


async def test_prometheus_has_the_moment(service: Service) -> None:
    """One gauge for each certificate, in seconds since 1970."""
    await add(service.config, "clinic-1")
    await service.parts.intake.certificates.look()
    text = (await metrics_of(service)).decode()
    found = {
        (sample.labels["holder"], sample.labels["name"]): sample.value
        for family in text_string_to_metric_families(text)
        if family.name == "vitals_certificate_expiry_timestamp_seconds"
        for sample in family.samples
    }
    assert found == {
        ("authority", ""): (NOW + AUTHORITY_LASTS).timestamp(),
        ("node", "clinic-1"): END.timestamp(),
    }
