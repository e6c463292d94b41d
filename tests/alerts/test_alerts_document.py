"""The document tells the truth: its table is the code's, its example a real message, its settings valid."""

from __future__ import annotations

from pathlib import Path

import yaml

from alerts.bundle import Bundle, Shape
from alerts.facts import Facts
from alerts.lifecycle import TABLE, AlertEvent, Effect
from alerts.settings import AlertsSettings
from alerts.words.compose import Message, compose
from domain.alert import AlertState
from tests.alerts.test_messages import FACTS

DOCUMENT = (Path(__file__).parents[2] / "docs/alerts.md").read_text("utf-8")
SHORT_NAMES = {
    "unack": AlertState.UNACKNOWLEDGED,
    "ack": AlertState.ACKNOWLEDGED,
    "returned": AlertState.RETURNED_UNACKNOWLEDGED,
    "out": AlertState.OUT_OF_SERVICE,
}
EFFECTS = {
    "alarm": {Effect.NOTIFY_RAISED, Effect.FORGET_ACKNOWLEDGEMENT},
    "worse": {Effect.NOTIFY_WORSENED, Effect.FORGET_ACKNOWLEDGEMENT},
    "all-clear": {Effect.NOTIFY_ALL_CLEAR},
    "name": {Effect.RECORD_ACKNOWLEDGEMENT},
}


def alone(facts: Facts) -> Message:
    """Return what one alert by itself says in English, where nobody can answer."""
    return compose(Bundle(Shape.INCIDENT, (facts,)), language="en", answerable=False)


def state_of(name: str) -> AlertState:
    """Return the state that the document calls so."""
    return SHORT_NAMES.get(name) or AlertState(name)


def cells_of(line: str) -> list[str]:
    """Return the cells of a row."""
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def test_the_table_in_the_document_is_the_one_in_the_code() -> None:
    """Every cell, and every empty one."""
    lines = DOCUMENT.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("| event |"))
    states = [state_of(name) for name in cells_of(lines[start])[1:]]
    written = {}
    for line in lines[start + 2 : start + 2 + len(AlertEvent)]:
        event, *cells = cells_of(line)
        for state, cell in zip(states, cells, strict=True):
            if cell:
                target, *effects = cell.split(" + ")
                asked = set().union(*(EFFECTS[effect] for effect in effects))
                written[state, AlertEvent(event.replace(" ", "_"))] = (state_of(target), asked)
    assert written == {key: (transition.state, set(transition.effects)) for key, transition in TABLE.items()}


def test_the_message_in_the_document_is_what_is_sent() -> None:
    """The example is what the code makes of those facts."""
    assert f"    {alone(FACTS).short_text}\n" in DOCUMENT


def test_the_settings_in_the_document_are_accepted() -> None:
    """What a person copies works, once its secrets are looked up."""
    text = DOCUMENT.split("```yaml\n")[1].split("```")[0]
    settings = yaml.safe_load(text)["alerts"]
    settings["notifiers"]["email"]["password"] = settings["notifiers"]["webhook"]["secret"] = "looked up"
    AlertsSettings.model_validate(settings)
