"""Plays a story through the service, and holds what came of it against what is expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from app.config import ServiceConfig
from app.documents import read_document
from app.rulebook import read_rules
from app.stories.clock import HandClock
from app.stories.outcome import difference, outcome, written
from app.stories.schedule import Schedule, schedule
from app.stories.service import Service
from app.stories.story import EXPECTED, STORY, Expected, Story, read_expected, read_story
from domain.errors import OperatorError
from domain.instant import to_ms
from domain.suggest import allowed_words
from registry.checks import directory_of
from rules.model import Rule

USUAL_SETTINGS: dict[str, Any] = {
    "listen": {"port": 0},
    # Whoever plays a story looks at its pages and figures without an account.
    "access": {"open": True},
    # One message, one commit: what happens at one moment happens in one order.
    "pipeline": {"group_readings": 1},
    # Ticks and saves that are rarer than in production, because a day of a story passes in seconds.
    "judge": {"tick_seconds": 300, "snapshot_seconds": 120},
    # Every alarm at once and by itself, so that a story of rules tells the second at which they speak.
    "alerts": {
        "telling": {
            "wait_seconds": {"info": 0, "warning": 0, "critical": 0},
            "clear_wait_seconds": 0,
            "messages_per_hour": 1000,
            "flapping_from": 1000,
            "past_told_at": None,
        }
    },
}


class Play(NamedTuple):
    """A story that was played, and what it was played with."""

    story: Story
    config: ServiceConfig
    rules: Sequence[Rule]
    start_ms: int
    end_ms: int
    came: Expected


async def play(folder: Path, data: Path) -> Play:
    """Play the story of a case; what the service stored is left in ``data``."""
    story, steps = read_story(folder)
    registry = read_document(folder / story.registry)
    start_ms = to_ms(story.start)
    planned = schedule(start_ms, steps, directory_of(registry))
    config = _config(story, folder, data)
    rules = _rules(folder, story, config)
    came = await _play(Service(config, rules, registry, HandClock(start_ms)), planned, start_ms)
    return Play(story, config, rules, start_ms, planned.end_ms + 1, came)


async def run_case(folder: Path, data: Path) -> str:
    """Return the difference between what a case expects and what came; empty where there is none."""
    story, *_, came = await play(folder, data)
    expected = read_expected(folder)
    found = f"there is no {EXPECTED} yet" if expected is None else difference(expected, came)
    return f"{story.sentence}\n\n{found}\n\nAll that came, as {EXPECTED}:\n{written(came)}\n" if found else ""


async def _play(service: Service, planned: Schedule, start_ms: int) -> Expected:
    await service.open()
    try:
        for event in planned.events:
            await service.let_pass(event.at_ms)
            await service.take(event)
        await service.let_pass(planned.end_ms + 1)
        return await outcome(service, start_ms)
    finally:
        await service.close()


def _rules(folder: Path, story: Story, config: ServiceConfig) -> list[Rule]:
    rules = {rule.id: rule for rule in read_rules(config.rules)}
    if unknown := [name for name in story.only if name not in rules]:
        allowed = allowed_words(unknown[0], list(rules))
        raise OperatorError(f"{folder / STORY}: only: found {unknown[0]!r}; allowed: {allowed}")
    return [rules[id_] for id_ in story.only or rules]


def _config(story: Story, folder: Path, data: Path) -> ServiceConfig:
    rules = {"catalogue": not story.rules, "files": [folder / path for path in story.rules]}
    settings = _merged({**USUAL_SETTINGS, "data": data, "rules": rules}, story.settings)
    return ServiceConfig.model_validate(settings)


def _merged(usual: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(usual)
    for key, value in changed.items():
        known = merged.get(key)
        merged[key] = _merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return merged
