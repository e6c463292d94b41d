"""Does what an answer says to the alerts that it means, within the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.actions import Acted, Actions
from alerts.answers.meant import Meant, meant_by
from alerts.answers.outcome import Outcome, outcome_of, without_echoes
from alerts.answers.parse import Answer, Meaning
from alerts.answers.parts import Scene
from alerts.answers.told import ToldBundle
from alerts.change import Actor, AlertChange
from alerts.closing import Closing
from alerts.lifecycle import ImpossibleEventError
from domain.alert import Alert
from domain.people import Contact


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an answer."""

    meant: Meant
    outcomes: tuple[Outcome, ...]
    changes: tuple[AlertChange, ...]
    took_effect: bool


async def act(
    actions: Actions,
    connection: AsyncConnection,
    answer: Answer,
    told: Sequence[ToldBundle],
    *,
    by: Actor,
    scene: Scene,
    contact: Contact,
) -> Done:
    """Do what the answer says to every alert that it means; ``told`` is what its writer was told of."""
    named = {}
    for reference in answer.references:
        found = await actions.alert(connection, reference)
        if found is not None:
            named[reference] = found
    meant = meant_by(answer, told, named, lambda alert: _answers_for(contact, alert, scene))
    acted = [await _do(actions, connection, answer, alert, by, scene) for alert in meant.alerts]
    contacts = scene.directory.contacts
    outcomes = [outcome_of(answer.meaning, each, contact, contacts, scene.now) for each in acted]
    changes = tuple(change for each in acted for change in each.changes)
    changed = {change.alert.id for change in changes}
    others = tuple(alert for alert in meant.others if alert.id not in changed)
    return Done(
        replace(meant, others=others),
        tuple(without_echoes(outcomes)),
        changes,
        any(each.took_effect for each in acted),
    )


async def _do(
    actions: Actions, connection: AsyncConnection, answer: Answer, alert: Alert, by: Actor, scene: Scene
) -> Acted:
    now = scene.now
    try:
        if answer.meaning is Meaning.GOING:
            return await actions.acknowledge(connection, alert.id, by=by, now=now, note=answer.note)
        if answer.meaning is Meaning.HELP:
            return await actions.ask_for_help(connection, alert.id, by=by, now=now, note=answer.note)
        closing = Closing(note=answer.note, doses_affected=answer.doses)
        return await actions.close(connection, alert.id, closing, by=by, now=now)
    except ImpossibleEventError:
        # Somebody answered something that its state does not allow: nothing changes, and they are told what it is.
        return Acted(alert, False, ())


def _answers_for(contact: Contact, alert: Alert, scene: Scene) -> bool:
    facility = scene.directory.facilities.get(alert.facility)
    return facility is not None and contact.answers_for(facility)
