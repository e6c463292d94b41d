"""Which alerts somebody means who answers, and which they may answer for. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from alerts.answers.parse import Answer, Meaning
from alerts.answers.told import ToldBundle
from domain.alert import Alert, AlertState


@dataclass(frozen=True, slots=True)
class Meant:
    """What an answer is about."""

    alerts: tuple[Alert, ...] = ()
    unknown: tuple[int, ...] = ()
    """References that no alert has."""
    foreign: tuple[int, ...] = ()
    """References of alerts that this person was not told of and does not answer for."""
    others: tuple[Alert, ...] = ()
    """Open alerts that this person was told of and did not mean."""


def is_open(alert: Alert) -> bool:
    """Tell whether somebody still has to do something about an alert."""
    return alert.state is not AlertState.NORMAL


def open_alerts(told: Sequence[ToldBundle]) -> tuple[Alert, ...]:
    """Return the open alerts of the messages, each once, in their order."""
    return tuple({alert.id: alert for bundle in told for alert in bundle.alerts if is_open(alert)}.values())


def meant_by(
    answer: Answer,
    told: Sequence[ToldBundle],
    named: Mapping[int, Alert],
    may_answer: Callable[[Alert], bool],
) -> Meant:
    """Return what an answer is about.

    ``told`` are the messages that the person got, newest first; ``named`` are the alerts with the answer's references.
    References count where there are any. Otherwise the newest message is meant that tells of anything open; "done"
    without anything open means the newest message, since it is often written after the all-clear.
    """
    known = {alert.id for bundle in told for alert in bundle.alerts}
    if answer.references:
        return _by_reference(answer.references, named, lambda alert: alert.id in known or may_answer(alert), told)
    newest = next((bundle for bundle in told if any(map(is_open, bundle.alerts))), None)
    if newest is None:
        over = told[0].alerts if told and answer.meaning is Meaning.DONE else ()
        return Meant(over)
    alerts = tuple(filter(is_open, newest.alerts))
    return Meant(alerts, others=_besides(told, {alert.id for alert in alerts}))


def _by_reference(
    references: Sequence[int],
    named: Mapping[int, Alert],
    may_answer: Callable[[Alert], bool],
    told: Sequence[ToldBundle],
) -> Meant:
    found = [named[reference] for reference in references if reference in named]
    alerts = tuple(filter(may_answer, found))
    own = {alert.id for alert in alerts}
    return Meant(
        alerts,
        unknown=tuple(reference for reference in references if reference not in named),
        foreign=tuple(alert.id for alert in found if alert.id not in own),
        others=_besides(told, own),
    )


def _besides(told: Sequence[ToldBundle], meant: Collection[int]) -> tuple[Alert, ...]:
    return tuple(alert for alert in open_alerts(told) if alert.id not in meant)
