"""Alerts on what is promised: allowances used up too fast, of a facility and of a region.

There is one group for each distinct pair of service and target, not one for each facility: its rules hold for whoever
has that target by now, so that a new facility needs no new rules.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, NamedTuple

from dashboards.prometheus.recording import PLACE, REGION, REGION_TARGET, TARGET, outage, region_outage
from dashboards.prometheus.rule import Alert, Setting, group
from dashboards.prometheus.times import BURNS, HOUR, MINUTE, Burn
from dashboards.sla.targets import Target
from domain.episode import Severity
from domain.places import Service

_WHOLE: Final = 0.99
"""Down all the time, as two counters that are scraped say it."""
_MOST: Final = 0.5
"""The share of a region that is down, where a region is down."""
_MONTH_DAYS: Final = 30


class _Wording(NamedTuple):
    what: str
    todo: str


_WORDS: Final = {
    Service.POWER: _Wording(
        "power",
        "Ask whether the grid is off or a fuse is, and whether generator or battery carry what must run; "
        "bring fuel, or move vaccines and patients who depend on power.",
    ),
    Service.COLD_CHAIN: _Wording(
        "the cold chain",
        "Ask whether the vaccines are safe; move them where a fridge works, and have the appliance looked at.",
    ),
    Service.WATER: _Wording(
        "water",
        "Ask what is left in tanks and whether the pump runs; have water brought before theatre and maternity stop.",
    ),
    Service.MONITORING: _Wording(
        "the monitoring",
        "Nothing is known of this facility: call it. Look at its gateway's power and network; what it measured "
        "meanwhile comes by itself once it is connected.",
    ),
}


class Promise(NamedTuple):
    """A service and its target, whoever has it."""

    service: Service
    ratio: float

    @property
    def group(self) -> str:
        """Return a name for its group."""
        return f"vitals-target-{self.service.value}-{self.ratio:g}"


def promises(targets: Collection[Target]) -> list[Promise]:
    """Return the distinct promises in an order that does not depend on the order of the targets."""
    found = {
        Promise(service, target.ratio)
        for target in targets
        for service in Service
        if target.service in (None, service)
    }  # fmt: skip
    return sorted(found, key=lambda each: (list(Service).index(each.service), each.ratio))


def slo_groups(targets: Collection[Target], setting: Setting) -> list[dict[str, Any]]:
    """Return the groups of alerts on targets; none where nothing is promised."""
    found = promises(targets)
    groups = [
        group(each.group, MINUTE, (alert.document(setting) for alert in _facility(each)), setting) for each in found
    ]
    for service in Service:
        ratios = [each.ratio for each in found if each.service is service]
        if ratios:
            alerts = (alert.document(setting) for alert in _region(service, ratios))
            groups.append(group(f"vitals-region-{service.value}", MINUTE, alerts, setting))
    unknown = [_without_rules(found).document(setting)]
    return [*groups, group("vitals-targets", 4 * MINUTE, unknown, setting)]


def _facility(promise: Promise) -> Iterator[Alert]:
    service, ratio = promise
    where = f'{{service="{service.value}"}}'
    mine = f"and on ({PLACE})\n  {TARGET}{where} == {ratio:g}"
    # Two rules of one name need labels that differ.
    labels = {"service": service.value, "target": f"{ratio:g}"}
    place = "{{ $labels.facility }} ({{ $labels.district }}, {{ $labels.region }})"
    if not BURNS[0].reachable(ratio):
        yield Alert(
            name="VitalsFacilityDown",
            expr=f"{outage('1h')}{where} >= {_WHOLE}\nand\n{outage('5m')}{where} >= {_WHOLE}\n{mine}",
            severity=BURNS[0].facility,
            summary=f"{place}: {_WORDS[service].what} has been down for an hour",
            description=f"Promised are {_percent(ratio)} of the time: too little to speak of a fast loss, so this "
            f"tells of any hour without a break. {_WORDS[service].todo}",
            labels=labels,
        )
    for burn in BURNS:
        if burn.reachable(ratio):
            limit = f"{burn.threshold(ratio):g}"
            long, short = f"{outage(burn.long)}{where} > {limit}", f"{outage(burn.short)}{where} > {limit}"
            yield Alert(
                name="VitalsFacilityBurn",
                expr=f"{long}\nand\n{short}\n{mine}",
                severity=burn.facility,
                summary=f"{place}: {_WORDS[service].what} was down for {{{{ $value | humanizePercentage }}}} of "
                f"the last {_length(burn)}",
                description=f"{_allowance(ratio)} {_rate(burn)} {_WORDS[service].todo}",
                labels={**labels, "window": burn.long},
            )


def _region(service: Service, ratios: Sequence[float]) -> Iterator[Alert]:
    where = f'{{service="{service.value}"}}'
    what = _WORDS[service].what
    place = "{{ $labels.region }} ({{ $labels.country }})"
    if not BURNS[0].reachable(min(ratios)):
        yield Alert(
            name="VitalsRegionDown",
            expr=f"{region_outage('1h')}{where} > {_MOST}\nand\n{region_outage('5m')}{where} > {_MOST}",
            severity=BURNS[0].region,
            summary=f"{place}: {what} was down in {{{{ $value | humanizePercentage }}}} of the facilities for an hour",
            description=f"One cause for many is likely. {_IN_REGION[service]}",
            labels={"service": service.value},
        )
    for burn in BURNS:
        if burn.reachable(max(ratios)):
            limit = f"on ({REGION})\n  {burn.factor:g} * (1 - {REGION_TARGET}{where})"
            expr = f"{region_outage(burn.long)}{where} > {limit}\nand\n{region_outage(burn.short)}{where} > {limit}"
            yield Alert(
                name="VitalsRegionBurn",
                expr=expr,
                severity=burn.region,
                summary=f"{place}: over the last {_length(burn)} {what} was down for "
                f"{{{{ $value | humanizePercentage }}}} of the time, all facilities taken together",
                description=f"{_rate(burn)} One cause for many is likely. {_IN_REGION[service]}",
                labels={"service": service.value, "window": burn.long},
            )


_IN_REGION: Final = {
    Service.POWER: "Call the utility; then see to the facilities without a generator, and to their vaccines.",
    Service.COLD_CHAIN: "See whether power is the cause; then plan where vaccines go, the largest stores first.",
    Service.WATER: "Call the water works; then see to hospitals and maternities.",
    Service.MONITORING: "Ask the mobile network, and look whether the broker and Vitals itself are well.",
}


def _without_rules(found: Sequence[Promise]) -> Alert:
    """Tell of targets that changed after these rules were written."""
    known = [f'{TARGET}{{service="{each.service.value}"}} == {each.ratio:g}' for each in found]
    others = f"  {TARGET}\n  unless (\n    {_or(known)}\n  )" if known else f"  {TARGET}"
    return Alert(
        name="VitalsTargetWithoutRules",
        expr=f"count by (service) (\n{others}\n)",
        severity=Severity.WARNING,
        lasts=10 * MINUTE,
        summary="{{ $value }} facilities have a target for {{ $labels.service }} that no alert looks at",
        description="The targets were changed after the rules were written. "
        "Run vitals prometheus rules again and let Prometheus load what it writes.",
    )


def _or(parts: Sequence[str]) -> str:
    return "\n    or ".join(parts)


def _length(burn: Burn) -> str:
    return {"1h": "hour", "6h": "six hours", "1d": "day", "3d": "three days"}[burn.long]


def _allowance(ratio: float) -> str:
    hours = _MONTH_DAYS * 24 * (1 - ratio)
    spoken = f"{hours:.3g} hours" if hours >= 1 else f"{hours * HOUR / MINUTE:.3g} minutes"
    return f"Promised are {_percent(ratio)} of the time, so {spoken} a month may be down."


def _percent(ratio: float) -> str:
    return f"{100 * ratio:.6g} %"


def _rate(burn: Burn) -> str:
    if burn.factor == 1:
        return "At this rate a month's allowance does not last."
    days = _MONTH_DAYS / burn.factor
    return f"At this rate a month's allowance is used up in {days:.2g} days."
