"""What holds whatever happened to alerts, read from the tables alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from alerts.lifecycle import ONGOING, AlertEvent, walk
from alerts.notification import NotificationKind, NotificationState
from domain.alert import AlertState
from domain.episode import Severity

_EVENTS: Final = {event.value for event in AlertEvent}
_CLEAR: Final = NotificationKind.ALL_CLEAR.value
_ALARMS: Final = (NotificationKind.ALARM.value, NotificationKind.WORSE.value)
_ARRIVED: Final = (NotificationState.DELIVERED.value, NotificationState.ACKNOWLEDGED.value)
_PENDING: Final = (NotificationState.QUEUED.value, NotificationState.SUBMITTED.value)
_GONE_OUT: Final = (*_ARRIVED, NotificationState.SUBMITTED.value, NotificationState.UNKNOWN.value)


@dataclass(frozen=True, slots=True)
class Word:
    """One message as far as it tells one recipient of one alert."""

    order: int
    kind: str
    state: str


def check(tables: dict[str, list[Any]], taken: Mapping[str, Sequence[str]]) -> None:
    """Assert all laws; ``taken`` are the keys of the messages that each channel took, in their order."""
    _every_change_is_of_the_table(tables)
    _keys_are_unique(tables["notifications"])
    _critical_ones_are_told(tables)
    told = _told(tables["tellings"])
    for keys in taken.values():
        _messages_go_in_their_order(tables["notifications"], told, keys)
    words = _words(tables["notifications"], told)
    pending = {(row.alert, row.contact or row.by) for row in tables["tellings"] if row.due_at is not None}
    state_of = {row.id: AlertState(row.state) for row in tables["alerts"]}
    for (alert, recipient), said in words.items():
        _no_all_clear_without_an_alarm(alert, recipient, said)
        if state_of[alert] not in ONGOING and (alert, recipient) not in pending:
            _the_alarmed_know_that_it_is_over(alert, recipient, said)


def _every_change_is_of_the_table(tables: dict[str, list[Any]]) -> None:
    happened: defaultdict[int, list[AlertEvent]] = defaultdict(list)
    for row in tables["alert_audit"]:
        if row.what in _EVENTS:
            happened[row.alert].append(AlertEvent(row.what))
    for row in tables["alerts"]:
        state = walk(AlertState.NORMAL, happened[row.id]).state
        assert state.value == row.state, f"alert {row.id} is {row.state}; by its audit log it is {state}"


def _keys_are_unique(notifications: Sequence[Any]) -> None:
    keys = [row.key for row in notifications]
    assert len(set(keys)) == len(keys)


def _critical_ones_are_told(tables: dict[str, list[Any]]) -> None:
    """Every live critical episode has a telling that went out or waits, or a reason why not."""
    severity_of = {row.id: Severity(row.severity) for row in tables["episodes"]}
    told = {row.alert for row in tables["tellings"] if row.bundle is not None or row.due_at is not None}
    excused = {row.alert for row in tables["alert_audit"] if row.what.startswith("silent_no_")}
    for row in tables["alerts"]:
        is_asking = row.state == AlertState.UNACKNOWLEDGED.value and not row.past
        if is_asking and severity_of[row.episode] is Severity.CRITICAL:
            assert row.id in told | excused, f"nobody was told of alert {row.id}, and nothing says why"


def _told(tellings: Iterable[Any]) -> dict[tuple[int, str], dict[int, str]]:
    """Return what each message says to each recipient: the kind of word for each alert in it."""
    told: defaultdict[tuple[int, str], dict[int, str]] = defaultdict(dict)
    for row in tellings:
        if row.bundle is not None:
            # Where an alarm and a worse go out together, they are one word.
            told[row.bundle, row.contact or row.by].setdefault(row.alert, row.kind)
    return told


def _messages_go_in_their_order(
    notifications: Iterable[Any], told: Mapping[tuple[int, str], Mapping[int, str]], keys: Iterable[str]
) -> None:
    """Assert that of no alert anybody hears later what was queued earlier on a channel."""
    by_key = {row.key: row for row in notifications}
    newest: dict[tuple[int, str], int] = {}
    for row in map(by_key.__getitem__, keys):
        recipient = row.contact or row.channel
        for alert in told.get((row.bundle, recipient), ()):
            assert row.id >= newest.get((alert, recipient), 0), f"{row.key} was overtaken for alert {alert}"
            newest[alert, recipient] = row.id


def _words(
    notifications: Iterable[Any], told: Mapping[tuple[int, str], Mapping[int, str]]
) -> dict[tuple[int, str], list[Word]]:
    """Return what each recipient was sent of each alert, oldest first."""
    words: defaultdict[tuple[int, str], list[Word]] = defaultdict(list)
    for row in sorted(notifications, key=lambda row: row.id):
        recipient = row.contact or row.channel
        for alert, kind in told.get((row.bundle, recipient), {}).items():
            words[alert, recipient].append(Word(row.bundle, kind, row.state))
    return words


def _no_all_clear_without_an_alarm(alert: int, recipient: str, said: Iterable[Word]) -> None:
    alarmed: set[int] = set()
    cleared: set[int] = set()
    for word in said:
        if word.kind != _CLEAR:
            alarmed.add(word.order)
            cleared = set()
            continue
        if word.state in _GONE_OUT:
            assert alarmed, f"{recipient} got an all-clear for alert {alert} and no alarm"
            assert cleared <= {word.order}, f"{recipient} got two all-clears for alert {alert}"
            cleared.add(word.order)


def _the_alarmed_know_that_it_is_over(alert: int, recipient: str, said: Sequence[Word]) -> None:
    """Assert that a delivered alarm is followed by an all-clear that went out, or failed for good, or is to be sent."""
    if any(word.state in _PENDING for word in said):
        return
    owed = False
    for word in said:
        if word.kind in _ALARMS and word.state in _ARRIVED:
            owed = True
        elif word.kind == _CLEAR and word.state != NotificationState.CANCELLED.value:
            owed = False
    assert not owed, f"{recipient} was alarmed by alert {alert} and never heard that it is over"
