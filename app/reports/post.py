"""Monthly reports by e-mail: what is due is made in a process of its own, and sent until everybody has it."""

from __future__ import annotations

import hashlib
import logging
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any, Final, NamedTuple

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.notification import NotificationState
from alerts.notifiers.email import EmailSettings, new_mail, post
from alerts.notifiers.notifier import Delivery
from alerts.oncall.chain import named_by
from api.languages import page_languages
from api.report_services import FileForm, ReportKind
from app.child import Progress, Work
from app.children import in_child
from app.config import ServiceConfig
from app.reports.job import content_of
from app.reports.marks import ReportMarks
from app.reports.monthly import monthly
from app.reports.recorded import Asked
from app.reports.settings import MonthlySettings
from dashboards.pages.words import Words
from dashboards.report.lines import month_text
from dashboards.report.month import Month, month_at, zone_of
from domain.directory import Directory
from domain.errors import VitalsError
from domain.instant import SECOND_MS, Clock, to_datetime
from domain.places import EVERYWHERE, Facility, Place

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 60.0
_FIRST_PAUSE_SECONDS: Final = 60.0
_LONGEST_PAUSE_SECONDS: Final = 3600.0
_FILES: Final = ((FileForm.PDF, "application", "pdf"), (FileForm.CSV, "text", "csv"))


class Recipient(NamedTuple):
    """Who gets a report, and in which language."""

    address: str
    language: str


class Issue(NamedTuple):
    """One month of one place."""

    place: Place
    month: Month
    zone: str


class Mailing(NamedTuple):
    """What is to be made."""

    config: ServiceConfig
    asked: Asked
    now: datetime
    languages: tuple[str, ...]


async def make_mailing(job: Mailing, progress: Progress) -> dict[str, Any]:
    """Return a report as files by language and form, in base 64."""
    data = await monthly(job.config, job.asked, now=job.now, progress=progress)
    return {
        language: {
            form.value: b64encode(content_of(data, ReportKind.MONTHLY, form, language)).decode("ascii")
            for form, _, _ in _FILES
        }
        for language in job.languages
    }


class _Trouble(NamedTuple):
    sentence: str
    pause_seconds: float
    again_ms: int


class ReportPost:
    """Sends what is due; a mark in SQL for each place and recipient says what was sent."""

    def __init__(
        self,
        config: ServiceConfig,
        email: EmailSettings,
        marks: ReportMarks,
        directory: Callable[[], Directory],
        clock: Clock,
    ) -> None:
        self._config, self._email, self._marks = config, email, marks
        self._directory, self._clock = directory, clock
        self._troubles: dict[Place, _Trouble] = {}
        self._made: tuple[Issue, Mapping[str, Mapping[str, str]]] | None = None
        """The last one that was made: kept while it is not with everybody."""

    @property
    def trouble(self) -> str:
        """Return what is not with everybody yet, and why; empty where nothing is in the way."""
        return "; ".join(each.sentence for each in self._troubles.values())

    async def run(self) -> None:
        """Look what is due until cancelled."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Send what is due; what fails is told, and tried again after a pause that doubles."""
        for settings in self._config.reports.monthly:
            for place in (each.place for each in settings.of):
                waits = self._troubles.get(place)
                if waits is not None and self._clock.now_ms() < waits.again_ms:
                    continue
                try:
                    await self._send_due(settings, place)
                except (VitalsError, SQLAlchemyError, OSError) as error:
                    self._put_off(place, str(error), waits)
                else:
                    self._troubles.pop(place, None)

    def _put_off(self, place: Place, why: str, before: _Trouble | None) -> None:
        pause = _FIRST_PAUSE_SECONDS if before is None else min(before.pause_seconds * 2, _LONGEST_PAUSE_SECONDS)
        sentence = f"the monthly report on {_named(place)} is not with everybody: {why}"
        again_ms = self._clock.now_ms() + round(pause * SECOND_MS)
        self._troubles[place] = _Trouble(sentence, pause, again_ms)
        log.warning("%s; tried again in %.0f s", sentence, pause)

    async def _send_due(self, settings: MonthlySettings, place: Place) -> None:
        facilities = [each for each in self._directory().facilities.values() if place.covers(each)]
        if not facilities:
            raise _NotSentError("no facility is registered there")
        zone, now = zone_of(facilities), to_datetime(self._clock.now_ms())
        after = timedelta(days=settings.day - 1, hours=settings.at.hour, minutes=settings.at.minute)
        month = await self._marks.next(place, first_due(now, zone, after))
        while month.due(zone, after) <= now:
            await self._send(Issue(place, month, zone), recipients(settings, facilities[0], self._directory(), now))
            await self._marks.go_on(place, month)
            log.info("the report on %s of %s is with everybody", month, _named(place))
            month = month.moved(1)

    async def _send(self, issue: Issue, people: Iterable[Recipient]) -> None:
        reached = await self._marks.reached(issue.place)
        waiting = [each for each in people if each.address not in reached]
        failures = []
        for each in waiting:
            files = await self._files(issue, waiting)
            delivery = await self._post(issue, each, files[each.language])
            if delivery.state is NotificationState.FAILED and delivery.recoverable:
                failures.append(f"{each.address}: {delivery.sentence}")
                continue
            if delivery.state is NotificationState.FAILED:
                log.error("the report on %s is never sent to %s: %s", issue.month, each.address, delivery.sentence)
            await self._marks.reach(issue.place, each.address)
        if failures:
            raise _NotSentError("; ".join(failures))
        if not waiting and not reached:
            raise _NotSentError("none of its recipients has an e-mail address")
        self._made = None

    async def _files(self, issue: Issue, people: Iterable[Recipient]) -> Mapping[str, Mapping[str, str]]:
        languages = tuple(sorted({each.language for each in people}))
        if self._made is None or self._made[0] != issue or not self._made[1].keys() >= set(languages):
            asked = Asked(issue.place, *issue.month.period(issue.zone))
            job = Mailing(self._config, asked, to_datetime(self._clock.now_ms()), languages)
            self._made = issue, await in_child(Work(make_mailing, job))
        return self._made[1]

    async def _post(self, issue: Issue, to: Recipient, files: Mapping[str, str]) -> Delivery:
        try:
            mail = self._mail(issue, to, files)
        except ValueError as error:
            return Delivery.failed(f"that is not an e-mail address: {error}", recoverable=False)
        return await post(mail, self._email)

    def _mail(self, issue: Issue, to: Recipient, files: Mapping[str, str]) -> EmailMessage:
        words, key = page_languages().words(to.language), f"{issue.place}{issue.month}{to.address}"
        subject, text = self._said(issue, words)
        digest = hashlib.blake2b(key.encode(), digest_size=12).hexdigest()
        mail = new_mail(f"report.{digest}", self._email.sender, to.address, subject, text)
        for form, kind, subtype in _FILES:
            name = f"{issue.month}-{_plain(_named(issue.place))}.{form.value}"
            mail.add_attachment(b64decode(files[form.value]), maintype=kind, subtype=subtype, filename=name)
        return mail

    def _said(self, issue: Issue, words: Words) -> tuple[str, str]:
        facility = self._directory().facilities.get(issue.place.facility)
        place = (
            (facility.name if facility else _named(issue.place)) if issue.place != EVERYWHERE else words("All places")
        )
        month = month_text(str(issue.month), words)
        subject = words("Monthly report: {place}, {month}", place=place, month=month)
        text = words(
            "The report on {place} in {month} is attached, as PDF to be checked and signed, and as a table (CSV).",
            place=place,
            month=month,
        )
        link = f"\n\n{self._config.public_url}reports" if self._config.public_url else ""
        return " ".join(subject.split()), f"{text}{link}\n"


async def open_report_post(
    config: ServiceConfig, database: AsyncEngine, directory: Callable[[], Directory], clock: Clock
) -> ReportPost | None:
    """Return who sends reports; None where none is to be sent by itself."""
    if not config.reports.monthly:
        return None
    marks = ReportMarks(database)
    await marks.create_tables()
    email: EmailSettings = getattr(config.alerts.notifiers, "email")  # noqa: B009 - the class is made from a table
    return ReportPost(config, email, marks, directory, clock)


class _NotSentError(VitalsError):
    """Some did not get a report yet."""


def first_due(now: datetime, zone: str, after: timedelta) -> Month:
    """Return the first month that becomes due after a moment: of a place that is new here no past month is sent."""
    month = month_at(now, zone).moved(-2)
    while month.due(zone, after) <= now:
        month = month.moved(1)
    return month


def recipients(settings: MonthlySettings, facility: Facility, directory: Directory, now: datetime) -> list[Recipient]:
    """Return who gets a report: each address once, people without one left out."""
    known = page_languages()
    found: dict[str, Recipient] = {}
    for word in settings.to:
        if "@" in word:
            found.setdefault(word, Recipient(word, known.words(settings.language).language))
            continue
        for id_ in named_by(word, facility, directory, now):
            contact = directory.contacts.get(id_)
            if contact is not None and contact.email:
                language = known.words(contact.language).language
                found.setdefault(contact.email, Recipient(contact.email, language))
    return list(found.values())


def _named(place: Place) -> str:
    return place.facility or place.district or place.region or place.country or "all places"


def _plain(text: str) -> str:
    return "".join(each if each.isascii() and each.isalnum() else "-" for each in text).strip("-").lower() or "report"
