"""What people and Prometheus see."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from fastapi import FastAPI

from alerts.measures.reader import read_measures
from api.access.desk import AccessDesk
from api.access.settings import AccessSettings
from api.create import create_api
from api.rule_services import BacktestOrder
from api.services import IntakeDesk, Services
from api.settings import ApiSettings
from app.access import open_access
from app.backtest_job import backtest_work
from app.callbacks import hear_callbacks
from app.config import ServiceConfig
from app.exposition.equipment import EquipmentText
from app.exposition.facilities import Asked
from app.figures import FiguresKeeper
from app.history import History, Source
from app.jobs import Jobs
from app.lately import Lately
from app.metrics import Metrics, Owners
from app.parts.ground import Ground, Loops
from app.parts.intake import Intake
from app.parts.judgement import Judgement
from app.registry_desk import registry_desk
from app.reports.desk import Reports
from app.reports.post import ReportPost, open_report_post
from app.roster_calendars import roster_desk
from app.rule_desk import rule_desk
from app.services import part_states, services_of
from app.status_board import StatusBoard
from app.web import serve_on
from collector.influx_history import open_history
from collector.journal.journal import Journal
from dashboards.pages.outlines.source import outlines_from
from dashboards.pages.status import FacilityStatus
from dashboards.pages.words import Saying, noop
from dashboards.sla.live import LiveWatch
from domain.instant import Clock
from registry.upkeep import UpkeepStore
from rules.model import Rule


@dataclass(frozen=True, kw_only=True)
class Web:
    """The HTTP application."""

    api: FastAPI
    backtests: Jobs[BacktestOrder]
    reports: Reports
    mailing: ReportPost | None
    """None where no report is sent by itself."""
    access: AccessDesk | None
    """None where nobody signs in."""
    board: StatusBoard
    figures: FiguresKeeper

    @classmethod
    async def open(
        cls,
        ground: Ground,
        intake: Intake,
        judgement: Judgement,
        config: ServiceConfig,
        clock: Clock,
        stack: AsyncExitStack,
        notice: Saying,
    ) -> Web:
        """Join the routes to those who know the answers."""
        past = await _past(ground, config, clock, stack)
        figures = FiguresKeeper(past, ground.directory, clock)
        live = LiveWatch(ground.power_on)
        backtests = Jobs(backtest_work(config, lambda: ground.rulebook.rules))
        reports = Reports(config, clock)
        reports.open()
        mailing = await open_report_post(config, ground.database, ground.directory, clock)

        def statuses() -> Sequence[FacilityStatus]:
            return board.statuses()

        services = services_of(
            clock=clock,
            registry=ground.registry,
            latest=ground.latest,
            past=past,
            hours=ground.journal.hours_in_short,
            alerts=judgement.alerts,
            power=ground.power.of,
            open_alerts=judgement.open_alerts,
            statuses=statuses,
            texts=lambda: ground.rulebook.texts,
            equipment_metrics=EquipmentText(
                ground.directory, ground.latest.get, ground.in_range.of_channel, config.metrics
            ).render,
            metrics=Metrics(_owners(ground, intake, judgement, live, config, clock)),
            parts=lambda: part_states(
                intake.pipeline.stats(),
                intake.source.stats(),
                judgement.judge.stats,
                ground.rulebook.trouble,
                intake.forwarders,
                mailing,
            ),
            intake=IntakeDesk(
                letters=ground.journal.letters,
                letter_groups=ground.journal.letter_groups,
                replay=intake.replay.run,
                waiting=intake.waiting.nodes,
                node_of=intake.tokens.node_of,
                post=intake.posting.take,
            ),
            upkeep=UpkeepStore(ground.database),
            registry_desk=registry_desk(ground.database, ground.registry),
            rosters=roster_desk(ground.database, ground.registry, clock),
            hear_callback=hear_callbacks(config.alerts.notifiers, judgement.correspondence.heard),
            measures=Lately(
                lambda period, place, within=None: read_measures(
                    ground.database, period, place, ground.directory(), within
                ),
                clock,
            ),
            figures=lambda: figures.figures,
            rules=rule_desk(ground.rulebook, judgement.alerts, backtests),
            reports=reports.desk(),
            notice=lambda words: " ".join(
                filter(None, (notice(words), words(_said_of(config.access)), words(_past_trouble(past))))
            ),
            outlines=outlines_from(config.pages.outline),
        )
        access = await open_access(ground.database, config.access, clock)
        board = await _open_board(ground, judgement, services, live)
        api = create_api(services, _named(config), access=access, link_key=ground.link_key)
        return cls(
            api=api, access=access, backtests=backtests, reports=reports, mailing=mailing, board=board, figures=figures
        )

    async def nobody_yet(self) -> bool:
        """Tell whether people have to sign in and there is nobody who could."""
        return self.access is not None and not await self.access.accounts.any_yet()

    def loops(self, listener: socket.socket) -> Loops:
        """Return the loops: they serve, and keep the statuses, the figures, and what is tried on the past."""
        mailing = {} if self.mailing is None else {"monthly reports": self.mailing.run}
        return {
            **mailing,
            "statuses": self.board.run,
            "web": lambda: serve_on(listener, self.api, before_stop=self.api.state.events.close),
            "backtests": self.backtests.run,
            "reports": self.reports.jobs.run,
            # A clinic's report does not wait for a nation's.
            "reports meanwhile": self.reports.jobs.run,
            "figures": self.figures.run,
        }


async def _open_board(ground: Ground, judgement: Judgement, services: Services, live: LiveWatch) -> StatusBoard:
    board = StatusBoard(
        directory=ground.directory,
        latest=ground.latest,
        alerts=judgement.open_alerts,
        describe=services.describe,
        clock=services.clock,
        on_publish=live.take,
    )

    async def say_anew(_: Sequence[Rule]) -> None:
        board.words_changed()

    ground.rulebook.on_change(say_anew)
    await board.refresh()
    return board


async def _past(ground: Ground, config: ServiceConfig, clock: Clock, stack: AsyncExitStack) -> History | Journal:
    if config.history is Source.JOURNAL or config.influxdb is None:
        return ground.journal
    influx = await stack.enter_async_context(open_history(config.influxdb))
    return History(ground.journal, influx, ground.directory, clock)


def _named(config: ServiceConfig) -> ApiSettings:
    """Return the settings with the name in the public address among those that are answered to."""
    host = config.public_url.host if config.public_url else None
    return config.api.model_copy(update={"hosts": (*config.api.hosts, host)}) if host else config.api


def _said_of(access: AccessSettings) -> str:
    return noop("Open to everybody on this machine: nobody signs in here.") if access.open else ""


def _past_trouble(past: History | Journal) -> str:
    if not isinstance(past, History) or not past.trouble:
        return ""
    return noop("Readings older than two days may be missing here: the long-term store does not answer.")


def _owners(
    ground: Ground,
    intake: Intake,
    judgement: Judgement,
    live: LiveWatch,
    config: ServiceConfig,
    clock: Clock,
) -> Owners:
    judge, heard = judgement.judge, intake.pipeline.nodes.last_heard_ms
    return Owners(
        pipeline=intake.pipeline.stats,
        journal=ground.journal.stats,
        judge=lambda: judge.stats,
        judge_position=lambda: judge.position,
        notifications=judgement.dispatcher.stats,
        delivery_times=judgement.dispatcher.delivery_times,
        database_errors=ground.database_errors,
        connections=intake.source.stats,
        facilities=Asked(
            live=lambda: live.view(clock.now_ms()),
            range_of=ground.in_range.of_facility,
            directory=ground.directory,
            nodes=lambda: [(node, heard.get(node.id)) for node in ground.directory().nodes.values()],
            targets=config.sla.targets,
        ),
        alerting=judgement.figures,
        forwarders=intake.forwarders,
        waiting_nodes=lambda: intake.waiting.count,
        quarantined=lambda: len(intake.quarantine.quarantined(clock.now_ms())),
        kept_out=lambda: intake.quarantine.kept_out,
        certificates=lambda: intake.certificates.found,
    )
