"""Who answers for a place, over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from alerts.oncall.answering import Answering, AnsweringStep, Why, areas_of, who_answers
from alerts.routing import Route, lanes_of, quiet_until
from api.channels import QueryMoment
from api.on_call_models import OnCall, OnCallPerson, OnCallStep, WhyDetail
from api.problems import NotFoundError, RequestError
from api.services import alert_desk_of
from api.visit import Viewing
from domain.directory import Directory
from domain.episode import Severity
from domain.instant import to_datetime
from domain.places import Facility

Name = Annotated[str, Query(max_length=300)]


class SeverityWord(StrEnum):
    """How bad an alert is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


def on_call_routes() -> APIRouter:
    """Return the route ``/on-call``."""
    router = APIRouter(tags=["people"], responses={503: {"description": "This process tells nobody"}})

    @router.get("/on-call", summary="Who answers for a place", responses={404: {"description": "Unknown place"}})
    async def get_on_call(
        visit: Viewing,
        facility: Annotated[str | None, Query(max_length=300, description="Id; or else an area")] = None,
        country: Name = "",
        region: Name = "",
        district: Name = "",
        severity: Annotated[SeverityWord, Query(description="Of alerts this severe")] = SeverityWord.CRITICAL,
        at: Annotated[QueryMoment, Query(description="Now, if left out")] = None,
    ) -> OnCall:
        """Return the steps of the escalation chain with their people, and what names each of them."""
        directory, moment = visit.services.directory(), at or to_datetime(visit.services.clock.now_ms())
        place = _place(directory, facility, country, region, district)
        level = Severity[severity.name]
        routes = alert_desk_of(visit.services).routes
        chain, steps = who_answers(place, level, directory, moment)
        return OnCall(
            at=moment,
            severity=severity.value,
            facility=facility,
            place=place.name,
            chain=chain.id,
            steps=[_step(step, routes, level, moment) for step in steps],
            repeat_every_seconds=chain.repeat_every.total_seconds() if chain.repeat_every else None,
            repeat_times=chain.repeat_times,
        )

    return router


def _place(directory: Directory, facility: str | None, country: str, region: str, district: str) -> Facility:
    """Return the facility, or what stands for the area, that was asked for."""
    if (facility is None) == (not (country or region or district)):
        raise RequestError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "Name a facility, or an area by country, region and district."
        )
    if facility is not None:
        found = directory.facilities.get(facility)
        if found is None:
            raise NotFoundError("facility", facility)
        return found
    areas = areas_of(country, region, district, directory)
    if not areas:
        raise NotFoundError("area with facilities", "/".join(filter(None, (country, region, district))))
    if len(areas) > 1:
        names = ", ".join("/".join(filter(None, (area.country, area.region, area.district))) for area in areas[:5])
        raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, f"Several areas are called so: {names}. Name one of them.")
    return areas[0]


def _step(step: AnsweringStep, routes: Sequence[Route], severity: Severity, at: datetime) -> OnCallStep:
    return OnCallStep(
        after_seconds=None if step.after is None else step.after.total_seconds(),
        to=list(step.step.to),
        people=[_person(each, step.step.by, routes, severity, at) for each in step.people],
    )


def _person(
    answering: Answering, by: Sequence[str], routes: Sequence[Route], severity: Severity, at: datetime
) -> OnCallPerson:
    contact = answering.contact
    return OnCallPerson(
        contact=contact.id,
        name=contact.name,
        language=contact.language,
        lanes=[[reach.channel for reach in lane] for lane in lanes_of(contact, by, routes)],
        quiet_until=quiet_until(contact.quiet, severity, at),
        why=[_why(each) for each in answering.why],
    )


def _why(why: Why) -> WhyDetail:
    return WhyDetail(
        word=why.word,
        override=why.override is not None,
        override_reason=why.override.reason if why.override else "",
        until=why.until,
    )
