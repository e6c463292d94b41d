"""Figures of places as the API answers them; shares are 0 to 1, and null where nothing is known."""

from __future__ import annotations

from pydantic import Field

from api.measure_models import Duration
from api.models import Model, Moment
from dashboards.figures.alerting import Age
from dashboards.figures.places import Level, Part
from dashboards.figures.survey import Answers, Survey, Times
from dashboards.figures.tally import Compared, Tally, share
from dashboards.figures.visits import Appliance, Stop, Why
from dashboards.pages.status import Status
from domain.instant import HOUR_MS, to_datetime
from domain.places import EquipmentKind
from domain.upkeep import Visit


class ColdFigures(Model):
    """How appliances were kept; the three shares are of the observed time and add up to 1."""

    in_range: float | None = Field(description="Share of the observed time within the limits in force at that time")
    too_cold: float | None
    too_hot: float | None
    observed: float | None = Field(description="Share of the time that is known by readings; the rest is unknown")
    too_cold_hours: float = Field(description="Sum over the appliances")
    too_hot_hours: float = Field(description="Sum over the appliances")


class PowerFigures(Model):
    """How long there was power from any supply."""

    hours_a_day: float | None = Field(description="Of the observed time, scaled to a day")
    observed: float | None = Field(description="Share of the time")


class WaterFigures(Model):
    """On how many days there was water."""

    with_water: float | None = Field(description="Share of the observed days")
    days: int = Field(description="Days with water, added up over facilities")
    observed: float | None = Field(description="Share of the days")


class TallyDocument(Model):
    """What a stretch of days came to."""

    cold_chain: ColdFigures
    power: PowerFigures
    water: WaterFigures


class PartDocument(Model):
    """One of the parts of a place."""

    country: str
    region: str | None = Field(description="Null where the part is larger")
    district: str | None
    facility: str | None = Field(description="Id")
    name: str
    facilities: int
    silent: int
    open_alerts: int
    now: TallyDocument
    before: TallyDocument


class ApplianceDocument(Model):
    """An appliance and how it was kept."""

    facility: str
    equipment: str
    name: str
    kind: EquipmentKind
    model: str
    out_of_range: float | None = Field(description="Share of the observed time")
    figures: ColdFigures


class ReasonDocument(Model):
    """Why a facility should be visited."""

    why: Why
    equipment: str | None


class StopDocument(Model):
    """A facility to visit."""

    facility: str
    name: str
    status: Status
    open_alerts: int
    reasons: list[ReasonDocument]
    last_visit: Moment | None = Field(description="Null where nobody wrote of one")
    latitude: float | None
    longitude: float | None


class RouteDocument(Model):
    """Facilities to visit, the worst first."""

    stops: list[StopDocument]


class TimesDocument(Model):
    """How long something took."""

    number: int = Field(description="Of how many")
    median: Duration | None
    p90: Duration | None = Field(description="Nine of ten took no longer; seconds")


class AnswersDocument(Model):
    """How fast alerts were answered, and their causes mended."""

    acknowledge: TimesDocument = Field(description="From the first message to the first acknowledgement")
    restore: TimesDocument = Field(description="From start to end")


class FiguresDocument(Model):
    """How a place does, and how it did in the stretch of days before."""

    country: str | None = Field(description="Null where the whole nation, or more, is meant")
    region: str | None
    district: str | None
    from_: Moment = Field(serialization_alias="from", description="Midnight, UTC")
    to: Moment = Field(description="Midnight, UTC: the end of the last day that counts")
    computed_at: Moment
    days: int
    facilities: int
    not_worked_out: int = Field(description="Facilities whose figures are not there yet, shortly after a start")
    silent: int = Field(description="Facilities of which nothing is heard now")
    open_alerts: dict[Age, int] = Field(description="By how long the trouble has been there")
    now: TallyDocument
    before: TallyDocument
    answers: AnswersDocument | None = Field(description="Null in a process without a database of alerts")
    answers_before: AnswersDocument | None
    level: Level = Field(description="What `parts` are")
    parts: list[PartDocument]
    worst: list[ApplianceDocument] = Field(description="The ten that were out of range for the largest share of time")


def figures_document(found: Survey, answers: tuple[Answers, Answers] | None) -> FiguresDocument:
    """Return a survey as a document."""
    country, region, district = _named(found.where, 3)
    end = to_datetime(found.end_ms)
    return FiguresDocument(
        country=country,
        region=region,
        district=district,
        from_=to_datetime(max(found.end_ms - found.stretch.length_ms, 0)),
        to=end,
        computed_at=to_datetime(found.computed_ms),
        days=int(found.stretch),
        facilities=len(found.facilities),
        not_worked_out=found.missing,
        silent=found.silent,
        open_alerts=dict(found.alert_ages),
        now=_tally(found.compared.now),
        before=_tally(found.compared.before),
        answers=_answers(answers[0]) if answers else None,
        answers_before=_answers(answers[1]) if answers else None,
        level=found.level,
        parts=[_part(part) for part in found.parts],
        worst=[_appliance(each) for each in found.worst],
    )


def route_document(stops: tuple[Stop, ...], visits: dict[str, Visit]) -> RouteDocument:
    """Return facilities to visit as a document."""
    return RouteDocument(
        stops=[
            StopDocument(
                facility=stop.facility.id,
                name=stop.facility.name,
                status=stop.status.overall,
                open_alerts=stop.status.open_alerts,
                reasons=[
                    ReasonDocument(why=each.why, equipment=each.appliance.equipment.id if each.appliance else None)
                    for each in stop.reasons
                ],
                last_visit=visits[stop.facility.id].at if stop.facility.id in visits else None,
                latitude=stop.facility.latitude,
                longitude=stop.facility.longitude,
            )
            for stop in stops
        ]
    )


def _named(names: tuple[str, ...], many: int) -> list[str | None]:
    return [*names, *[None] * (many - len(names))]


def _part(part: Part) -> PartDocument:
    country, region, district, facility = _named(part.names, 4)
    compared: Compared = part.compared
    return PartDocument(
        country=country or "",
        region=region,
        district=district,
        facility=facility,
        name=part.title,
        facilities=part.facilities,
        silent=part.silent,
        open_alerts=part.open_alerts,
        now=_tally(compared.now),
        before=_tally(compared.before),
    )


def _tally(tally: Tally) -> TallyDocument:
    _, power, water = tally
    hours = share(power.on_ms, power.known_ms)
    return TallyDocument(
        cold_chain=_cold(tally),
        power=PowerFigures(
            hours_a_day=None if hours is None else hours * 24, observed=share(power.known_ms, power.span_ms)
        ),
        water=WaterFigures(
            with_water=share(water.days, water.known_days),
            days=water.days,
            observed=share(water.known_days, water.span_days),
        ),
    )


def _cold(tally: Tally) -> ColdFigures:
    cold = tally.cold
    return ColdFigures(
        in_range=share(cold.within_ms, cold.judged_ms),
        too_cold=share(cold.below_ms, cold.judged_ms),
        too_hot=share(cold.above_ms, cold.judged_ms),
        observed=share(cold.judged_ms, cold.span_ms),
        too_cold_hours=cold.below_ms / HOUR_MS,
        too_hot_hours=cold.above_ms / HOUR_MS,
    )


def _appliance(each: Appliance) -> ApplianceDocument:
    return ApplianceDocument(
        facility=each.facility.id,
        equipment=each.equipment.id,
        name=each.equipment.name,
        kind=each.equipment.kind,
        model=each.equipment.model,
        out_of_range=each.outside,
        figures=_cold(Tally(each.cold)),
    )


def _answers(answers: Answers) -> AnswersDocument:
    return AnswersDocument(acknowledge=_times(answers.acknowledge), restore=_times(answers.restore))


def _times(times: Times) -> TimesDocument:
    return TimesDocument(number=times.number, median=times.median, p90=times.p90)
