"""What is heard, how it sounds, and what the button does to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.episode import Episode, Severity, SubjectKind
from edge.alarms.board import Alarm, Silencing, When, audible, worst
from edge.alarms.link_watch import LinkWatch
from edge.alarms.outputs import ConsoleOutputSettings, Device
from edge.alarms.patterns import OFF, PULSES, STEADY, phase

START = datetime(2026, 3, 2, 6, tzinfo=UTC)


def alarm(name: str, severity: Severity, when: When = When.LINK_DOWN) -> Alarm:
    """Return an alarm."""
    episode = Episode(name, "rule", severity, SubjectKind.CHANNEL, "fridge", "", START, START)
    return Alarm(replace(episode, started_at=START + timedelta(minutes=len(name))), when)


WARNING = alarm("a", Severity.WARNING)
ALWAYS = alarm("bb", Severity.CRITICAL, When.ALWAYS)


def test_while_the_service_can_tell_only_chosen_rules_are_heard() -> None:
    """The worst comes first."""
    assert audible([WARNING, ALWAYS], link_down=False) == [ALWAYS]
    assert audible([WARNING, ALWAYS], link_down=True) == [ALWAYS, WARNING]


def test_the_button_silences_what_sounds_and_not_what_comes_after() -> None:
    """For a while; then it is heard again."""
    silencing = Silencing(60.0)
    silencing.press([WARNING], 100.0)
    assert worst([WARNING], without=silencing.silenced(159.0)) is None
    assert worst([WARNING, ALWAYS], without=silencing.silenced(159.0)) is Severity.CRITICAL
    assert silencing.next_end_s() == 160.0
    assert worst([WARNING], without=silencing.silenced(160.0)) is Severity.WARNING
    assert silencing.next_end_s() is None


@given(st.sampled_from([OFF, STEADY, *PULSES.values(), (0.1, 0.1, 0.1, 0.7)]), st.floats(0, 1e6))
def test_a_pattern_asks_for_the_same_until_it_says(pattern: tuple[float, ...], elapsed_s: float) -> None:
    """Half way to the next change nothing has changed, and no wait is endless or none."""
    stands = phase(pattern, elapsed_s)
    if stands.lasts_s is None:
        assert len(pattern) < 2
        assert stands.on is bool(pattern)
    else:
        assert 0 < stands.lasts_s <= max(pattern)
        assume(stands.lasts_s > 1e-6)  # nearer than that, rounding decides
        assert phase(pattern, elapsed_s + stands.lasts_s / 2).on is stands.on


@pytest.mark.parametrize(
    ("changed", "severity", "pattern"),
    [
        ({}, Severity.CRITICAL, PULSES[Severity.CRITICAL]),
        ({}, Severity.WARNING, PULSES[Severity.WARNING]),
        ({}, Severity.INFO, OFF),
        ({}, None, OFF),
        ({"from": "critical"}, Severity.WARNING, OFF),
        ({"steady": True}, Severity.WARNING, STEADY),
        ({"device": Device.RELAY}, Severity.CRITICAL, STEADY),
    ],
)
def test_every_device_has_its_way(changed: dict[str, object], severity: Severity, pattern: tuple[float, ...]) -> None:
    """Buzzers and lamps tell severities apart, relays hold."""
    settings = ConsoleOutputSettings.model_validate({"output": "console", "steady": False} | changed)
    assert settings.pattern(severity) == pattern


def test_the_link_is_down_when_nothing_is_confirmed() -> None:
    """Whoever is to blame."""
    link = LinkWatch(300.0, 0.0)
    assert (link.is_down(299.0), link.is_down(300.0)) == (False, True)
    link.confirmed(400.0)
    assert (link.is_down(699.0), link.is_down(700.0)) == (False, True)
