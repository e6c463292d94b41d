"""Joins local alarms to an agent that is not running yet."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from pydantic import ValidationError

from domain.directory import Directory
from domain.errors import VitalsError
from domain.instant import Clock
from edge.agent import Agent
from edge.alarms.button import watch_button
from edge.alarms.courier import Courier
from edge.alarms.judge import LocalJudge
from edge.alarms.link_watch import LinkWatch
from edge.alarms.modem import Modem
from edge.alarms.outputs import GpioOutputSettings
from edge.alarms.places import directory_of
from edge.alarms.settings import LocalAlarmSettings
from edge.alarms.signals import Signals
from edge.alarms.store import AlarmStore, Memory
from edge.alarms.telephone import Telephone
from edge.alarms.timeline import Timeline
from edge.alarms.watch import LocalAlarms
from edge.hardware.libraries import hardware_library
from edge.timekeeper import Timekeeper
from rules.model import Rule

logger = logging.getLogger(__name__)

INTERVALS_UNCONFIRMED = 3


def join_local_alarms(agent: Agent, rules: Sequence[Rule], clock: Clock | Timekeeper) -> LocalAlarms:
    """Have the agent's readings judged on the node by these rules, and what they find heard and told.

    Raises ``OperatorError`` where the alarms' memory cannot be opened or a library is missing.
    """
    settings = agent.settings.local_alarms
    if settings is None:
        raise ValueError("the node has no local_alarms")
    _check_libraries(settings)
    path = settings.state or agent.settings.outbox.with_name(f"{agent.settings.outbox.name}.alarms")
    store = AlarmStore.open(path)
    directory = directory_of(settings, node=agent.settings.node, interval=agent.settings.interval)
    elapsed_ms = clock.elapsed_ms if isinstance(clock, Timekeeper) else clock.now_ms
    judge, memory = _judge(settings, rules, directory, store, clock)
    link = LinkWatch(_down_after(settings, agent.settings.interval).total_seconds(), time.monotonic())
    courier = Courier(store, link, receipt_timeout_s=agent.settings.publish.receipt_timeout.total_seconds())
    signals = Signals(settings.outputs, silence_s=settings.silence_for.total_seconds())
    telephone = None
    if settings.sms is not None:
        modem = Modem(settings.sms.port, settings.sms.baud)
        telephone = Telephone(
            settings.sms,
            modem,
            store,
            messages=memory.messages,
            now_ms=lambda: judge.timeline.now_ms(elapsed_ms()),
        )
    alarms = LocalAlarms(
        settings,
        rules=rules,
        directory=directory,
        judge=judge,
        store=store,
        signals=signals,
        link=link,
        courier=courier,
        telephone=telephone,
        elapsed_ms=elapsed_ms,
        wall_ms=clock.now_ms,
        clock_trusted=agent.clock_trusted,
    )
    agent.observers.append(alarms.observe)
    agent.publisher.uplink = courier
    agent.companions += [alarms.run, signals.run]
    if settings.outputs:
        agent.signals.append(signals.identify)
    if telephone is not None:
        agent.companions.append(telephone.run)
    if settings.button is not None:
        agent.companions.append(partial(watch_button, settings.button, signals.silence))
    return alarms


def _judge(
    settings: LocalAlarmSettings,
    rules: Sequence[Rule],
    directory: Directory,
    store: AlarmStore,
    clock: Clock | Timekeeper,
) -> tuple[LocalJudge, Memory]:
    """Return the judge with what it remembers; where that cannot be read, one that begins anew."""
    try:
        memory = store.load()
        return _remembering(settings, rules, directory, memory, clock), memory
    except (VitalsError, ValidationError) as error:
        logger.exception("what the local alarms remembered cannot be used; they begin anew: %s", error)  # noqa: TRY401 - the reason in one line
        memory = Memory([], [], [], (), None)
        return _remembering(settings, rules, directory, memory, clock), memory


def _remembering(
    settings: LocalAlarmSettings, rules: Sequence[Rule], directory: Directory, memory: Memory, clock: Clock | Timekeeper
) -> LocalJudge:
    timeline = Timeline(memory.stretches, memory.last_ms)
    if isinstance(clock, Timekeeper):
        timeline.start(clock.timeline.name, clock.elapsed_ms(), clock.now_ms())
    else:
        timeline.start("clock", clock.now_ms(), clock.now_ms())
    when = {each.rule: each.when for each in settings.rules}
    judge = LocalJudge(rules, when, directory, timeline=timeline)
    judge.restore(memory.engine, memory.records)
    return judge


def _down_after(settings: LocalAlarmSettings, interval: timedelta) -> timedelta:
    return max(settings.link_down_after, INTERVALS_UNCONFIRMED * interval)


def _check_libraries(settings: LocalAlarmSettings) -> None:
    if settings.button is not None or any(isinstance(each, GpioOutputSettings) for each in settings.outputs):
        hardware_library("gpiod", extra="gpio")
    if settings.sms is not None:
        hardware_library("serial", extra="serial")
