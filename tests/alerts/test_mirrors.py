"""What mirrors show, and how they are kept up to date."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from alerts.mirrors.alertmanager import document, labels_of
from alerts.mirrors.mirror import Mirrors, Shown, shown
from alerts.mirrors.topic import PREFIX, documents, topic_of
from domain.alert import Alert, AlertState
from domain.episode import Severity, SubjectKind
from domain.errors import PeerError
from tests.alerts.given import DIRECTORY, NOON, RULES

ALERT = Alert(
    id=7,
    episode="e",
    rule="heat",
    severity=Severity.WARNING,
    state=AlertState.UNACKNOWLEDGED,
    subject_kind=SubjectKind.CHANNEL,
    subject="kasese-3.fridge-2.temperature",
    facility="kasese-3",
    started_at=NOON,
    raised_at=NOON,
)


def the_state(*alerts: Alert) -> tuple[Shown, ...]:
    """Return what mirrors show of these alerts."""
    return shown(alerts, DIRECTORY, RULES)


@dataclass
class Board:
    """A mirror that remembers, and fails as often as it is told to."""

    failures: list[Exception] = field(default_factory=list)
    seen: asyncio.Queue[tuple[int, ...]] = field(default_factory=asyncio.Queue)
    name: str = "board"
    repeat_real_seconds: float = 3600.0

    async def show(self, state: Sequence[Shown]) -> None:
        """Remember the numbers."""
        if self.failures:
            raise self.failures.pop()
        await self.seen.put(tuple(each.reference for each in state))


@pytest.mark.parametrize(
    "hidden", [AlertState.SHELVED, AlertState.SUPPRESSED, AlertState.OUT_OF_SERVICE, AlertState.NORMAL]
)
def test_what_nobody_should_act_on_is_not_shown(hidden: AlertState) -> None:
    """Shelved, suppressed and out of service are hidden, and so is what is over or past."""
    gone = replace(ALERT, ended_at=NOON)
    assert the_state(replace(ALERT, state=hidden), replace(ALERT, past=True), gone) == ()


def test_what_goes_on_is_shown_with_its_place_and_words() -> None:
    """Names come from the directory, words from the rule, in the order of the numbers."""
    first, second = the_state(replace(ALERT, id=8, state=AlertState.ACKNOWLEDGED), ALERT)
    assert (first.reference, second.reference) == (7, 8)
    assert (first.title, first.equipment, first.facility_name) == ("Fridge too warm", "fridge 2", "Kasese HC3")
    assert (first.country, first.region, first.district) == ("Uganda", "Western", "Kasese")


def test_what_is_not_registered_any_more_is_shown_by_its_id() -> None:
    """An alert outlives its facility, its channel and its rule."""
    (found,) = the_state(replace(ALERT, rule="gone", facility="gone", subject="gone"))
    assert (found.title, found.facility_name, found.equipment, found.district) == ("gone", "gone", "", "")


async def following(board: Board, states: list[Sequence[Shown]], count: int) -> list[tuple[int, ...]]:
    """Return what the board was shown first while the states came one after the other, the last one staying."""

    async def look() -> Sequence[Shown]:
        return states.pop(0) if len(states) > 1 else states[0]

    mirrors = Mirrors([board], look, look_real_seconds=0.001, retry_real_seconds=0.001)
    task = asyncio.create_task(mirrors.run())
    try:
        async with asyncio.timeout(10):
            return [await board.seen.get() for _ in range(count)]
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_state_is_shown_when_it_changes() -> None:
    """The first state, even an empty one, and then every change, but not the same one again."""
    alarm = the_state(ALERT)
    assert await following(Board(), [(), (), alarm, alarm, ()], 3) == [(), (7,), ()]


async def test_a_failed_mirror_gets_the_state_again() -> None:
    """After an absence of the other side and after a defect."""
    board = Board(failures=[PeerError("away"), ValueError("a defect")])
    assert await following(board, [the_state(ALERT)], 1) == [(7,)]


async def test_an_unchanged_state_is_repeated_when_the_mirror_wants_it() -> None:
    """Some forget what they are not reminded of."""
    assert await following(Board(repeat_real_seconds=0.001), [the_state(ALERT)], 3) == [(7,)] * 3


async def test_one_mirror_away_holds_up_no_other() -> None:
    """Each is followed alone, and the one that fails is named."""
    good, bad = Board(name="good"), Board(failures=[PeerError("away")], name="bad")

    async def look() -> Sequence[Shown]:
        return ()

    mirrors = Mirrors([bad, good], look, retry_real_seconds=3600)
    task = asyncio.create_task(mirrors.run())
    async with asyncio.timeout(10):
        await good.seen.get()
    assert mirrors.failing == {"bad": "away"}
    mirrors.ring()
    async with asyncio.timeout(10):
        await bad.seen.get()
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert mirrors.failing == {}


def test_labels_name_the_alert_and_leave_out_what_is_not_known() -> None:
    """Alertmanager takes an empty label for none; acknowledging does not make another alert of it."""
    (alert,) = the_state(replace(ALERT, facility="gone"))
    labels = labels_of(alert, {"service": "vitals"})
    assert dict(labels) == {
        "alertname": "heat",
        "severity": "warning",
        "facility": "gone",
        "subject": "kasese-3.fridge-2.temperature",
        "reference": "7",
        "service": "vitals",
    }
    assert labels_of(replace(alert, state=AlertState.ACKNOWLEDGED), {"service": "vitals"}) == labels


def test_a_document_never_ends_before_it_starts() -> None:
    """A clock that was ahead does not make the server refuse everything."""
    (alert,) = the_state(replace(ALERT, started_at=NOON + timedelta(hours=1)))
    found = document(labels_of(alert, {}), alert, ends=NOON, link=None)
    assert found["startsAt"] == found["endsAt"] == "2026-11-20T12:00:00Z"
    assert found["annotations"]["summary"] == "Kasese HC3 fridge 2: Fridge too warm"


def test_a_well_facility_has_an_empty_list() -> None:
    """Displays can tell "all is well" from "nobody says anything"."""
    found = documents((), ["kasese-3"])
    assert json.loads(found[f"{PREFIX}/kasese-3/alerts"]) == {
        "worst": None, "count": 0, "unacknowledged": 0, "alerts": []
    }  # fmt: skip


def test_a_facility_in_alarm_says_how_bad_and_since_when() -> None:
    """The worst severity and the count come first; then every alert."""
    worse = replace(ALERT, id=8, severity=Severity.CRITICAL, state=AlertState.ACKNOWLEDGED, acknowledged_by="Amina")
    found = json.loads(documents(the_state(ALERT, worse), [])[topic_of("kasese-3")])
    assert (found["worst"], found["count"], found["unacknowledged"]) == ("critical", 2, 1)
    assert found["alerts"][0]["since"] == "2026-11-20T12:00:00Z"
    assert found["alerts"][1]["state"] == "acknowledged"


def test_no_id_reaches_into_other_topics() -> None:
    """Signs that mean something in MQTT are written otherwise."""
    assert topic_of("a/b+#") == f"{PREFIX}/a%2Fb%2B%23/alerts"
