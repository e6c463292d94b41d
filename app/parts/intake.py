"""From bytes to kept readings, and on to InfluxDB."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.alert_lines import AlertLines
from app.certificate_watch import CertificateWatch
from app.config import ServiceConfig
from app.cursors import read_cursor, write_cursor
from app.parts.ground import Ground, Loops
from app.parts.judgement import Judgement
from app.quarantine_watch import QuarantineWatch
from app.tokens import TokenView
from collector.foreign.devices import ForeignDevices
from collector.forwarder import rollup_lines
from collector.forwarder.dead_letters import DeadLetters
from collector.forwarder.forwarder import Forwarder, LineSource
from collector.forwarder.journal_lines import JournalLines
from collector.forwarder.rollup_lines import RollupLines
from collector.pipeline import Pipeline
from collector.posting import Posting
from collector.quarantine import Quarantine
from collector.replaying import Replay
from collector.sources.foreign import ForeignSource
from collector.sources.mqtt import MqttSource
from collector.waiting import Waiting
from domain.instant import Clock
from domain.receipt import Receipt
from registry.credentials import CredentialStore


@dataclass(frozen=True, kw_only=True)
class Intake:
    """The source, the pipeline behind it, and the forwarders that follow what it stored."""

    pipeline: Pipeline
    source: MqttSource
    replay: Replay
    posting: Posting
    tokens: TokenView
    certificates: CertificateWatch
    waiting: Waiting
    """Who sends and is not registered."""
    quarantine: Quarantine
    watch: QuarantineWatch
    foreign: ForeignSource | None
    """None where no foreign devices are configured."""
    forwarders: Mapping[str, Forwarder]
    """By the log that each follows; empty where no InfluxDB is configured."""

    @classmethod
    async def open(cls, ground: Ground, judgement: Judgement, config: ServiceConfig, clock: Clock) -> Intake:
        """Join source and pipeline; nothing is connected before the loops run."""

        async def send_receipt(node: str, receipt: Receipt) -> None:
            await source.send_receipt(node, receipt)

        devices = ForeignDevices(config.foreign)
        quarantine = Quarantine(ground.directory, config.quarantine)
        pipeline = Pipeline(
            directory=ground.directory,
            commit=ground.journal.commit,
            send_receipt=send_receipt,
            on_committed=ground.note,
            on_event=ground.node_events.take,
            foreign=devices,
            quarantine=quarantine,
            clock=clock,
            settings=config.pipeline,
        )
        pipeline.nodes.restore(ground.stored.values(), ground.directory())
        ground.registry.on_change(lambda: pipeline.nodes.forget_unregistered(ground.directory()))
        replay = Replay(ground.journal, pipeline.accept, clock)
        waiting = Waiting(ground.journal, replay, ground.directory, devices)
        ground.registry.on_change(waiting.registry_changed)
        source = MqttSource(config.mqtt, accept=pipeline.accept, clock=clock)
        foreign = _foreign(config, devices, pipeline, clock)
        forwarders = _forwarders(
            config,
            clock,
            readings=JournalLines(ground.journal, ground.directory),
            rollups=_rollup_lines(ground),
            alerts=AlertLines(ground.database, judgement.alerts, ground.directory, lambda: ground.rulebook.texts),
        )
        issued = CredentialStore(ground.database)
        await issued.create_tables()
        tokens = TokenView(issued, clock)
        await tokens.refresh()
        return cls(
            pipeline=pipeline,
            source=source,
            replay=replay,
            posting=Posting(pipeline.accept, clock),
            tokens=tokens,
            certificates=CertificateWatch(config, issued, clock),
            waiting=waiting,
            quarantine=quarantine,
            watch=QuarantineWatch(
                quarantine,
                judgement.alerts,
                ground.database,
                directory=ground.directory,
                clock=clock,
            ),
            foreign=foreign,
            forwarders=forwarders,
        )

    def loops(self) -> Loops:
        """Return the loops of taking in and passing on."""
        following = {f"influxdb {log}": forwarder.run for log, forwarder in self.forwarders.items()}
        foreign = {} if self.foreign is None else {"foreign devices": self.foreign.run}
        return {
            "pipeline": self.pipeline.run,
            "mqtt source": self.source.run,
            **foreign,
            "nodes that wait": self.waiting.run,
            "tokens": self.tokens.run,
            "certificates": self.certificates.run,
            "quarantine": self.watch.run,
            **following,
        }


def _rollup_lines(ground: Ground) -> RollupLines:
    async def read() -> int:
        async with ground.database.connect() as connection:
            return await read_cursor(connection, rollup_lines.CURSOR_NAME)

    async def write(position: int) -> None:
        async with ground.database.begin() as connection:
            await write_cursor(connection, rollup_lines.CURSOR_NAME, position)

    return RollupLines(ground.journal, ground.directory, read_cursor=read, write_cursor=write)


def _foreign(config: ServiceConfig, devices: ForeignDevices, pipeline: Pipeline, clock: Clock) -> ForeignSource | None:
    if not devices.filters:
        return None
    return ForeignSource(config.mqtt, devices.filters, wanted=devices.listens_to, accept=pipeline.accept, clock=clock)


def _forwarders(config: ServiceConfig, clock: Clock, **logs: LineSource) -> dict[str, Forwarder]:
    if config.influxdb is None:
        return {}
    letters = DeadLetters()
    return {log: Forwarder(lines, config.influxdb, clock=clock, dead_letter=letters) for log, lines in logs.items()}
