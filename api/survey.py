"""Reading what a survey of a place looks at, for its pages, its tables and the API."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import Query

from alerts.measures.compute import Measures, Spread
from alerts.measures.rows import Period
from api.problems import NotFoundError, RequestError
from api.services import Services
from api.visit import Visit
from dashboards.figures.places import Level, Where, inside
from dashboards.figures.survey import Answers, Ground, Question, Survey, Times, order_of, survey
from dashboards.figures.tally import STRETCHES, Stretch
from domain.instant import to_datetime
from domain.places import EVERYWHERE, Facility

_NAMES = ("country", "region", "district")
Name = Annotated[str | None, Query(max_length=300, description="Left out: all of them; empty: those without a name")]
RangeKey = Annotated[str, Query(alias="range", max_length=10, description="7d, 30d or 90d")]
LevelKey = Annotated[str, Query(alias="level", max_length=20, description="country, region, district or facility")]
OrderKey = Annotated[
    str,
    Query(
        alias="sort", max_length=20,
        description="in_range, too_cold, too_hot, power, water, silent, alerts (the worst first) or name",
    ),
]  # fmt: skip


def question_of(
    country: Name = None,
    region: Name = None,
    district: Name = None,
    range_key: RangeKey = Stretch.MONTH.key,
    level: LevelKey = "",
    order: OrderKey = "",
) -> Question:
    """Return what an address asks; what it says of range, level and order counts where it is one of those allowed."""
    return Question(
        where=_where((country, region, district)),
        stretch=STRETCHES.get(range_key, Stretch.MONTH),
        level=Level(level) if level in frozenset(Level) else None,
        order=order_of(order),
    )


async def read_survey(visit: Visit, question: Question) -> Survey:
    """Return how a place does; raise ``NotFoundError`` where the visitor sees no facility in it."""
    services = visit.services
    here = {each.id for each in read_place(visit, question.where)}
    statuses = {each.facility.id: each for each in services.statuses() if each.facility.id in here}
    now_ms = services.clock.now_ms()
    ground = Ground(services.directory(), services.figures(), statuses, services.open_alerts(), now_ms)
    # Adding up a nation takes a tenth of a second, and the event loop has readings to take.
    return await asyncio.to_thread(survey, question, ground)


def read_place(visit: Visit, where: Where) -> list[Facility]:
    """Return the facilities of a place; raise ``NotFoundError`` where the visitor sees none."""
    facilities = inside(visit.services.directory().facilities.values(), where)
    if where and not facilities:
        raise NotFoundError("place", " > ".join(where))
    return facilities


async def read_answers(services: Services, found: Survey) -> tuple[Answers, Answers] | None:
    """Return how fast alerts were answered in the stretch of days and in the one before; None where nobody can tell."""
    if services.measures is None or not found.end_ms:
        return None
    end, length = to_datetime(found.end_ms), timedelta(days=int(found.stretch))
    everything = len(found.facilities) == len(services.directory().facilities)
    within = None if everything else frozenset(each.id for each in found.facilities)
    now = await services.measures(Period(end - length, end), EVERYWHERE, within)
    before = await services.measures(Period(end - 2 * length, end - length), EVERYWHERE, within)
    return _answers(now), _answers(before)


def _where(names: Sequence[str | None]) -> Where:
    found = [name for name in names if name is not None]
    if list(names[: len(found)]) != found:
        missing = next(part for part, name in zip(_NAMES, names, strict=True) if name is None)
        raise RequestError(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"Name the {missing} too: places are named from the largest on."
        )
    return tuple(found)


def _answers(measures: Measures) -> Answers:
    return Answers(_times(measures.acknowledge), _times(measures.restore))


def _times(spread: Spread) -> Times:
    return Times(spread.number, spread.median, spread.p90)
