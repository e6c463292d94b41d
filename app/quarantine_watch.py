"""A sender that is kept out is an alert like any other: it opens, people are told, it clears."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.facts import RuleText
from alerts.store import AlertStore
from alerts.whole import whole
from collector.quarantine import Quarantine, Quarantined, Why
from domain.directory import Directory
from domain.episode import ChangeKind, Episode, EpisodeChange, Severity, SubjectKind, episode_id
from domain.instant import Clock, to_datetime

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
RULE_OF = {Why.TOO_MUCH: "node-sends-too-much", Why.GARBAGE: "node-sends-garbage"}
"""What the episodes are called; nobody writes these rules, the collector judges by itself."""
TEXTS = {
    RULE_OF[Why.TOO_MUCH]: RuleText(
        "Monitoring unit sends too much",
        "sends far too much",
        "Look for a loop in its settings. Restart it.",
        None,
    ),
    RULE_OF[Why.GARBAGE]: RuleText(
        "Monitoring unit sends garbage",
        "sends garbage",
        "Check its version and settings. See the dead letters.",
        None,
    ),
}


class QuarantineWatch:
    """Tells the alerts who is kept out, and who no more."""

    def __init__(
        self,
        quarantine: Quarantine,
        alerts: AlertStore,
        database: AsyncEngine,
        *,
        directory: Callable[[], Directory],
        clock: Clock,
    ) -> None:
        self._quarantine, self._alerts, self._database = quarantine, alerts, database
        self._directory, self._clock = directory, clock
        self._open: dict[str, Episode] = {}

    async def run(self) -> None:
        """Look until cancelled; a database that is away is asked again."""
        recalled = False
        while True:
            try:
                if not recalled:
                    await self._recall()
                    recalled = True
                await self.look()
            except (SQLAlchemyError, OSError) as error:
                log.warning("who is quarantined could not be told: %s", error)
            await self._clock.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Tell what changed since the last look."""
        now_ms = self._clock.now_ms()
        out = {name: each for name, each in self._quarantine.quarantined(now_ms).items() if self._knows(name)}
        began = [self._episode(each) for name, each in out.items() if name not in self._open]
        ended = {name: episode for name, episode in self._open.items() if name not in out}
        changes = [EpisodeChange(ChangeKind.OPENED, episode, live=True) for episode in began]
        now = to_datetime(now_ms)
        changes += [EpisodeChange(ChangeKind.ENDED, _ended(episode, now_ms), live=True) for episode in ended.values()]
        if not changes:
            return
        async with self._database.begin() as connection:
            told = await whole(self._alerts.record(connection, changes, now=now))
        self._alerts.publish(told)
        for episode in began:
            self._open[episode.subject] = episode
            log.warning("node %s is quarantined: %s", episode.subject, episode.rule)
        for name in ended:
            del self._open[name]
            log.warning("node %s is no longer quarantined", name)

    async def _recall(self) -> None:
        """Take up what an earlier life of the service left open; who behaves now is found so at the next look."""
        for episode in await self._alerts.open_episodes(tuple(RULE_OF.values())):
            self._open[episode.subject] = episode

    def _knows(self, name: str) -> bool:
        """Tell whether anybody answers for it; a stranger's noise is in the counters only."""
        return name in self._directory().nodes

    def _episode(self, out: Quarantined) -> Episode:
        since = to_datetime(out.since_ms)
        rule = RULE_OF[out.why]
        return Episode(
            id=episode_id(rule, out.sender, out.since_ms),
            rule=rule,
            severity=Severity.WARNING,
            subject_kind=SubjectKind.NODE,
            subject=out.sender,
            facility=self._directory().nodes[out.sender].facility,
            started_at=since,
            confirmed_at=since,
        )


def _ended(episode: Episode, now_ms: int) -> Episode:
    return replace(episode, ended_at=to_datetime(now_ms))
