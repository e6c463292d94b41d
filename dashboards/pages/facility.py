"""One facility: what needs somebody, its equipment with values now, charts, and what happened lately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dashboards.pages.alerts import AlertCard, AlertScene, alert_card, worst_and_oldest
from dashboards.pages.facility_equipment import EquipmentScene, EquipmentView, Past, equipment_view, power_of
from dashboards.pages.facility_past import MOST_LISTED, TitledEpisode, happenings_of
from dashboards.pages.happenings import Lettered
from dashboards.pages.series import Window
from dashboards.pages.status import FacilityStatus, ServiceStatus
from dashboards.pages.wording import SERVICE_WORDS, LocalTime, ago_text, local_time
from domain.alert import Alert
from domain.instant import to_ms
from domain.places import Channel, Service
from domain.upkeep import Visit

_ORDER = (Service.COLD_CHAIN, Service.POWER, Service.WATER, Service.MONITORING)


@dataclass(frozen=True, slots=True)
class Section:
    """The equipment of one service."""

    status: ServiceStatus
    word: str
    equipment: tuple[EquipmentView, ...]


@dataclass(frozen=True, slots=True)
class FacilityPage:
    """What the page of one facility says."""

    id: str
    name: str
    place: str
    status: FacilityStatus
    heard: str
    local_now: LocalTime
    visited: LocalTime | None
    """When somebody was there last, whatever for; None where nobody noted a visit."""
    visited_by: str
    alerts: tuple[AlertCard, ...]
    sections: tuple[Section, ...]
    """What needs somebody first; of equals, vaccines first."""
    happenings: tuple[Lettered, ...]
    """The last first."""
    left_out: int
    """How many older ones are not listed."""
    window: Window


@dataclass(frozen=True, slots=True)
class Records:
    """What was kept about a facility."""

    open_alerts: Sequence[Alert] = ()
    episodes: Sequence[TitledEpisode] = ()
    """Those of the window."""
    visits: Sequence[Visit] = ()
    """The last first, also those before the window."""


def facility_page(
    status: FacilityStatus, records: Records, past: Past | None, scene: AlertScene, window: Window
) -> FacilityPage:
    """Return the page; ``past`` None leaves the charts out."""
    facility, words, now_ms = status.facility, scene.words, scene.now_ms
    lately = [each for each in records.visits if window.from_ms <= to_ms(each.at) <= window.to_ms]
    happenings = happenings_of(records.episodes, lately, facility, scene)
    charted = None if past is None else replace(past, happenings=happenings)
    visit = records.visits[0] if records.visits else None
    return FacilityPage(
        id=facility.id,
        name=facility.name,
        place=" · ".join(part for part in (facility.district, facility.region, facility.country) if part),
        status=status,
        heard=ago_text(status.last_heard_ms, now_ms, words),
        local_now=local_time(now_ms, facility.timezone, now_ms, words),
        visited=local_time(visit.at, facility.timezone, now_ms, words) if visit else None,
        visited_by=visit.by if visit else "",
        alerts=tuple(alert_card(alert, scene) for alert in sorted(records.open_alerts, key=worst_and_oldest)),
        sections=_sections(status, records.visits, charted, scene),
        happenings=tuple(reversed(happenings))[:MOST_LISTED],
        left_out=max(len(happenings) - MOST_LISTED, 0),
        window=window,
    )


def _sections(
    status: FacilityStatus, visits: Sequence[Visit], past: Past | None, scene: AlertScene
) -> tuple[Section, ...]:
    directory, facility = scene.directory, status.facility
    own = directory.channels_of(facility.id)
    channels: dict[str, list[Channel]] = {}
    for channel in own:
        channels.setdefault(channel.equipment, []).append(channel)
    around = EquipmentScene(scene, facility.timezone, visits, past, power_of(own, past, scene) if past else None)
    by_service = {each.service: each for each in status.services}
    found = []
    for service in _ORDER:
        equipment = [
            equipment_view(item, channels.get(item.id, ()), around)
            for item in directory.equipment_of(facility.id)
            if item.kind.service is service
        ]
        if equipment:
            worst_first = tuple(sorted(equipment, key=lambda each: each.worst.rank))
            found.append(Section(by_service[service], scene.words(SERVICE_WORDS[service]), worst_first))
    return tuple(sorted(found, key=lambda section: section.status.status.rank))
