"""The rules in force: the catalogue that comes with Vitals and the files that the configuration names."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path

from alerts.facts import RuleText
from app import quarantine_watch
from app.config import RulesSettings
from app.rule_documents import rules_of
from domain.errors import VitalsError
from domain.instant import Clock
from rules.model import Rule

log = logging.getLogger(__name__)

POLL_SECONDS = 5.0


def read_rules(settings: RulesSettings) -> list[Rule]:
    """Return every rule in force; raise ``DocumentError`` listing the problems of all documents."""
    return rules_of(catalogue=settings.catalogue, files=settings.files)


def rule_texts(rules: Iterable[Rule]) -> Mapping[str, RuleText]:
    """Return what each rule says to people, by rule id."""
    known = list(rules)
    causes = {rule.id: {cause.id for cause in known if rule.id in cause.root_cause_of} for rule in known}
    return {
        rule.id: RuleText(
            rule.title,
            rule.message,
            rule.action,
            worse_by=rule.worse_by,
            suppressed_by=tuple(sorted(causes[rule.id].union(rule.suppressed_by))),
            translations={
                language: RuleText(said.title, said.message, said.action)
                for language, said in rule.translations.items()
            },
        )
        for rule in known
    }


class Rulebook:
    """The rules of this moment; read again where their files change, whole or not at all."""

    def __init__(self, rules: Sequence[Rule], settings: RulesSettings) -> None:
        self.trouble = ""
        """Why the files as they are now are not in force; empty while they are."""
        self._settings = settings
        self._listeners: list[Callable[[Sequence[Rule]], Awaitable[None]]] = []
        self._looked_like = _looks(settings.files)
        self._take(rules)

    async def run(self, clock: Clock) -> None:
        """Look at the files until cancelled."""
        while True:
            await clock.sleep(POLL_SECONDS)
            try:
                await self.look()
            except Exception:
                log.exception("the rule files could not be looked at; the rules that were read stay in force")

    async def look(self) -> None:
        """Read the files again if they changed since the last time; rules that are wrong leave all as it is."""
        looks = await asyncio.to_thread(_looks, self._settings.files)
        if looks == self._looked_like:
            return
        try:
            rules = await asyncio.to_thread(read_rules, self._settings)
        except VitalsError as error:
            self.trouble = f"the rule files changed and cannot be used, what was read before stays in force: {error}"
            log.error("%s", self.trouble)  # noqa: TRY400 - whoever wrote the file needs no trace of ours
            self._looked_like = looks
            return
        self.trouble = ""
        self._take(rules)
        log.info("%d rules are in force, read again", len(rules))
        for listener in self._listeners:
            await listener(rules)
        self._looked_like = looks  # not before everybody heard: where one fails, all is done again

    def on_change(self, listener: Callable[[Sequence[Rule]], Awaitable[None]]) -> None:
        """Call the listener with the rules after every change."""
        self._listeners.append(listener)

    def _take(self, rules: Sequence[Rule]) -> None:
        self.rules = rules
        self.by_id: Mapping[str, Rule] = {rule.id: rule for rule in rules}
        self.texts: Mapping[str, RuleText] = {**rule_texts(rules), **quarantine_watch.TEXTS}
        """What each rule says to people, by rule id."""


def _looks(files: Iterable[Path]) -> list[tuple[str, int, int]]:
    """Return what tells a changed file: its name, when it was written, its size."""
    found = [file for path in files for file in ([path, *path.iterdir()] if path.is_dir() else [path])]
    return sorted((str(file), *_stamp(file)) for file in found)


def _stamp(file: Path) -> tuple[int, int]:
    try:
        stat = file.stat()
    except OSError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size
