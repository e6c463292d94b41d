"""What happened at a facility, as its page tells it: excursions and visits on one line of time, with letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dashboards.pages.alerts import AlertScene
from dashboards.pages.happenings import Happening, HappeningKind, Lettered, lettered
from dashboards.pages.wording import duration_text, local_time, value_text
from domain.episode import Episode
from domain.instant import to_ms
from domain.places import Facility
from domain.upkeep import Visit

MOST_LISTED = 30
"""The page lists so many; charts mark them all."""


class TitledEpisode(NamedTuple):
    """An episode with the words of its rule, and the alert that it raised."""

    episode: Episode
    title: str
    alert: int | None = None


def happenings_of(
    episodes: Sequence[TitledEpisode], visits: Sequence[Visit], facility: Facility, scene: AlertScene
) -> tuple[Lettered, ...]:
    """Return what happened, in order of time."""
    found = [_of_episode(each, facility, scene) for each in episodes]
    return lettered(found + [_of_visit(each, facility, scene) for each in visits])


def those_about(happenings: Sequence[Lettered], equipment: str, channel: str) -> tuple[Lettered, ...]:
    """Return what concerns a channel: its own excursions, and visits to its equipment or to the whole facility."""
    return tuple(
        each
        for each in happenings
        if each.happening.about in (("", equipment) if each.happening.kind is HappeningKind.VISIT else (channel,))
    )


def _of_episode(titled: TitledEpisode, facility: Facility, scene: AlertScene) -> Happening:
    episode, channel = titled.episode, scene.directory.channels.get(titled.episode.subject)
    end_ms = to_ms(episode.ended_at) if episode.ended_at else scene.now_ms
    worst = channel is not None and episode.extreme is not None
    return Happening(
        kind=HappeningKind.EXCURSION,
        start_ms=to_ms(episode.started_at),
        end_ms=end_ms,
        about=episode.subject,
        subject=_subject(episode, scene),
        what=titled.title,
        started=local_time(episode.started_at, facility.timezone, scene.now_ms, scene.words),
        lasted=duration_text(end_ms - to_ms(episode.started_at), scene.words),
        ongoing=episode.ended_at is None,
        worst=value_text(channel.quantity, episode.extreme, scene.words) if channel and worst else "",
        href="" if titled.alert is None else f"/alerts/{titled.alert}",
    )


def _subject(episode: Episode, scene: AlertScene) -> str:
    channel = scene.directory.channels.get(episode.subject)
    equipment = scene.directory.equipment.get(channel.equipment) if channel else None
    node = scene.directory.nodes.get(episode.subject)
    return equipment.name if equipment else (node.name if node and node.name else episode.subject)


def _of_visit(visit: Visit, facility: Facility, scene: AlertScene) -> Happening:
    words, item = scene.words, scene.directory.equipment.get(visit.equipment)
    said = "; ".join(part for part in (visit.found, visit.done, visit.note) if part)
    what = words("visit by {name}", name=words.isolated(visit.by))
    return Happening(
        kind=HappeningKind.VISIT,
        start_ms=to_ms(visit.at),
        end_ms=to_ms(visit.at),
        about=visit.equipment,
        subject=item.name if item else facility.name,
        what=words("{what}: {said}", what=what, said=words.isolated(said)) if said else what,
        started=local_time(visit.at, facility.timezone, scene.now_ms, words),
    )
