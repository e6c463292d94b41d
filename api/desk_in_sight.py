"""The desk of alerts as somebody may use it who has a role in some places only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Final

from alerts.answers.inbox import Kept
from alerts.answers.parse import Meaning
from alerts.outbox import OutboxCount
from alerts.reading import Incident
from alerts.silences import Silence
from api.alert_desk import AlertDesk
from api.problems import NotAllowedError, NotFoundError
from domain.alert import Alert
from domain.directory import Directory
from domain.places import EVERYWHERE, Facility, Place

_AT_A_TIME: Final = 500


class DeskInSight(AlertDesk):
    """Shows and does what belongs to the facilities of a directory."""

    def __init__(
        self,
        desk: AlertDesk,
        *,
        alert: Callable[[int], Awaitable[Alert | None]],
        whole: Callable[[], Directory],
        mine: Callable[[], Directory],
        seen: Callable[[], Directory],
    ) -> None:
        """``alert`` reads an alert in sight; ``mine`` is what the role is given for, ``seen`` what may be looked at."""
        super().__init__(desk.store)
        self._alert, self._whole, self._mine, self._seen = alert, whole, mine, seen

    async def require_alert(self, alert_id: int) -> None:
        """Raise ``NotFoundError`` where no such alert is in sight."""
        if await self._alert(alert_id) is None:
            raise NotFoundError("alert", alert_id)

    async def incidents(self, facility: str | None = None) -> Sequence[Incident]:
        """Return the incidents of facilities in sight; each is of one facility."""
        return await self.store.reading.incidents(facility=facility, within=frozenset(self._mine().facilities))

    async def outbox_counts(self) -> Sequence[OutboxCount]:
        """Refuse: what waits by channel belongs to no place."""
        raise NotAllowedError("The outbox is everybody's: this takes a role for the whole country.")

    async def inbox(self, *, limit: int, before_id: int | None = None) -> Sequence[Kept]:
        """Return what people of these places wrote about these places; strangers belong to none."""
        contacts = frozenset(self._mine().contacts)
        found: list[Kept] = []
        while len(found) < limit:
            texts = await self.store.reading.inbox(limit=_AT_A_TIME, before_id=before_id, contacts=contacts)
            found += await self._about_mine(texts)
            if len(texts) < _AT_A_TIME:
                break
            before_id = texts[-1].id
        return found[:limit]

    async def silences(self, now: datetime) -> Sequence[Silence]:
        """Return those that hold for anything in sight, also where they reach beyond."""
        mine = self._mine()
        return [each for each in await self.store.silences(now) if _held(each, mine)]

    async def silence(self, silence: Silence) -> Silence:
        """Keep one that reaches nowhere else."""
        self._require_mine(silence)
        return await self.store.silence(silence)

    async def cancel_silence(self, number: int, *, by: str, now: datetime) -> None:
        """Take one back that reaches nowhere else."""
        standing = await self.store.silences(now)
        seen = self._seen()
        found = next((each for each in standing if each.id == number and _held(each, seen)), None)
        if found is None:
            raise NotFoundError("silence that still stands", number)
        self._require_mine(found)
        await super().cancel_silence(number, by=by, now=now)

    def _require_mine(self, silence: Silence) -> None:
        held = _held(silence, self._whole())
        mine = self._mine().facilities
        # One that names no place holds for places that will be registered later, too.
        if not _names_a_place(silence) or not held or any(each.id not in mine for each in held):
            raise NotAllowedError("This reaches beyond the places for which you have that role; name one of them.")

    async def _about_mine(self, texts: Sequence[Kept]) -> list[Kept]:
        """Return the texts whose words and answers tell of facilities in sight only."""
        facilities = await self.store.reading.facilities_of({number for each in texts for number in each.alerts})
        wholly = self._answer_here_only({each.contact for each in texts})
        mine = self._mine().facilities
        return [
            each
            for each in texts
            if each.contact in wholly
            # A status tells of everything that somebody was told of.
            or (
                each.alerts
                and each.meaning != Meaning.STATUS
                and all(facilities.get(number) in mine for number in each.alerts)
            )
        ]

    def _answer_here_only(self, contacts: Collection[str]) -> frozenset[str]:
        whole, mine = self._whole(), self._mine().facilities
        known = [whole.contacts[each] for each in contacts if each in whole.contacts]
        beyond = [each for each in whole.facilities.values() if each.id not in mine]
        return frozenset(each.id for each in known if not any(map(each.answers_for, beyond)))


def _held(silence: Silence, directory: Directory) -> list[Facility]:
    """Return the facilities of a directory for which a silence holds."""
    facility = _facility_of(silence, directory)
    if facility is None:
        return []
    place = Place(silence.country, silence.region, silence.district, facility)
    if facility:
        known = directory.facilities.get(facility)
        return [known] if known is not None and place.covers(known) else []
    return [each for each in directory.facilities.values() if place.covers(each)]


def _facility_of(silence: Silence, directory: Directory) -> str | None:
    """Return the one facility that a silence names, perhaps by what stands there; empty: none; None: not of here."""
    named = {silence.facility} - {""}
    if silence.equipment:
        item = directory.equipment.get(silence.equipment)
        named.add(item.facility if item else "")
    if silence.subject:
        thing = directory.channels.get(silence.subject) or directory.nodes.get(silence.subject)
        named.add(thing.facility if thing else "")
    if len(named) > 1 or named == {""}:
        return None
    return next(iter(named), "")


def _names_a_place(silence: Silence) -> bool:
    place = Place(silence.country, silence.region, silence.district, silence.facility)
    return place != EVERYWHERE or bool(silence.equipment or silence.subject)
