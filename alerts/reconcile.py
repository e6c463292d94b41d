"""From a change that the rules found to the events of an alert's life; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from alerts.lifecycle import ONGOING, AlertEvent
from domain.alert import AlertState
from domain.episode import ChangeKind, Episode, EpisodeChange, Severity

_NOBODY_KNOWS = frozenset({AlertState.NORMAL, AlertState.UNACKNOWLEDGED, AlertState.RETURNED_UNACKNOWLEDGED})


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored about an episode and its alert before a change."""

    episode: Episode
    state: AlertState
    silent: bool
    """Last raised by late data, so that nobody was told that it goes on."""
    retracted: bool
    alarmed_severity: Severity
    alarmed_extreme: float | None
    """Severity and extreme when people were last told: what "worse" is measured against."""


def is_audible(change: EpisodeChange) -> bool:
    """Tell whether somebody can still act on it: live, and not over in the same breath."""
    return change.live and change.episode.ended_at is None


def apart(changes: Iterable[EpisodeChange]) -> Iterator[list[EpisodeChange]]:
    """Give the changes in their order, those together that follow each other and are of different facilities.

    What happens at one facility decides nothing at another, so that they can be judged and written at once.
    """
    together: list[EpisodeChange] = []
    taken: set[str] = set()
    for change in changes:
        if taken & {change.episode.facility, change.episode.id}:
            yield together
            together, taken = [], set()
        together.append(change)
        taken |= {change.episode.facility, change.episode.id}
    if together:
        yield together


def is_news(known: Known | None, change: EpisodeChange) -> bool:
    """Tell whether a change says more than what is stored: repeated and outdated ones do not."""
    if known is None:
        return change.kind is not ChangeKind.RETRACTED
    if known.retracted:
        return change.kind is not ChangeKind.RETRACTED
    if change.kind is ChangeKind.RETRACTED or _wakes(known, change):
        return True
    if change.kind is ChangeKind.OPENED or change.episode == known.episode:
        return False
    # Only an amendment may say that an episode which ended goes on after all.
    reopens = known.episode.ended_at is not None and change.episode.ended_at is None
    return change.kind is ChangeKind.AMENDED or not reopens


def events_of(known: Known | None, change: EpisodeChange, worse_by: float | None) -> tuple[AlertEvent, ...]:
    """Return the events that a change which is news means for the alert; none where only its figures moved.

    ``worse_by``: how far beyond the value last told an extreme must be to count as worse, in the quantity's
    canonical unit; None where only a higher severity counts.
    """
    goes_on = change.episode.ended_at is None
    if known is None:
        return (AlertEvent.RAISED,) if goes_on else (AlertEvent.RAISED, AlertEvent.RETURNED)
    if change.kind is ChangeKind.RETRACTED:
        return (AlertEvent.RETRACTED,)
    ongoing = known.state in ONGOING
    if not goes_on:
        return _ended(known, ongoing=ongoing)
    if not ongoing or _wakes(known, change):
        return (AlertEvent.RAISED,)
    if change.live and _is_worse(known, change.episode, worse_by):
        return (AlertEvent.WORSENED,)
    return ()


def _ended(known: Known, *, ongoing: bool) -> tuple[AlertEvent, ...]:
    if ongoing:
        return (AlertEvent.RETURNED,)
    return (AlertEvent.RAISED, AlertEvent.RETURNED) if known.retracted else ()


def _wakes(known: Known, change: EpisodeChange) -> bool:
    """Tell whether live data show going on what late data alone had told so far."""
    goes_on = change.episode.ended_at is None
    ended_for_good = known.episode.ended_at is not None and change.kind is not ChangeKind.AMENDED
    return known.silent and change.live and goes_on and known.state in _NOBODY_KNOWS and not ended_for_good


def _is_worse(known: Known, episode: Episode, worse_by: float | None) -> bool:
    if episode.severity > known.alarmed_severity:
        return True
    if worse_by is None or episode.extreme is None:
        return False
    # An extreme only ever moves outwards, so the distance alone tells how much worse it is.
    return known.alarmed_extreme is None or abs(episode.extreme - known.alarmed_extreme) >= worse_by
