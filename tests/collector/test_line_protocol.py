"""Line protocol: names come back as they went in, and nothing in a name starts a tag, field or line of its own."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collector.forwarder.line_protocol import (
    SeriesPrefixes,
    Unwritable,
    alert_event_line,
    escape_measurement,
    escape_tag,
    series,
    string_field,
)
from domain.alert import Alert, AlertState
from domain.directory import Directory
from domain.episode import Severity, SubjectKind
from domain.places import Channel, Equipment, EquipmentKind, Facility
from domain.quantities import QUANTITIES
from domain.reading import Quality, Reading
from tests.collector.line_protocol_decoder import Point, decode

SHARED = Path(__file__).parents[2].parent / "shared" / "data"

FACILITY = Facility("kasese-hc3", "Kasese HC3", "Uganda", "Western", "Kasese")
FRIDGE = Equipment("kasese-hc3-fridge", "kasese-hc3", EquipmentKind.FRIDGE, "Vaccine fridge")
CHANNEL = Channel(
    "kasese-hc3-fridge-t", "kasese-hc3", FRIDGE.id, "node-7", "t", QUANTITIES["temperature"], timedelta(minutes=10)
)

names = st.text(min_size=1, max_size=30) | st.text(alphabet='ab,= \\"\n\r\t#\x00\x7f\x85', min_size=1, max_size=12)


def directory_of(channel: Channel = CHANNEL, facility: Facility = FACILITY, fridge: Equipment = FRIDGE) -> Directory:
    """Return a directory with one channel."""
    return Directory(facilities=[facility], equipment=[fridge], channels=[channel])


def only_point(text: str) -> Point:
    """Return the one point that the text must be."""
    (point,) = decode(text)
    return point


def naughty_strings() -> list[str]:
    """Return the big list of naughty strings without the empty one."""
    path = SHARED / "hostile" / "blns.json"
    if not path.exists():
        pytest.skip(f"the shared data folder is absent: no {path}")
    return [text for text in json.loads(path.read_text("utf-8")) if text]


def writable(text: str) -> bool:
    """Tell whether line protocol can hold the text as a tag exactly."""
    control = any(ord(sign) < 0x20 or 0x7F <= ord(sign) < 0xA0 or 0xD800 <= ord(sign) < 0xE000 for sign in text)
    return not control and not re.search(r"\\([,= ]|\Z)", text)


def test_a_reading_becomes_a_line_with_its_whole_address() -> None:
    """Measurement is the quantity with its unit; the tags say where; the field is a float; the time milliseconds."""
    reading = Reading(CHANNEL.id, 1_700_000_000_123, 4, Quality.GOOD, 1_700_000_001_000)
    (line,) = SeriesPrefixes(directory_of()).lines([reading]).lines
    assert only_point(line) == Point(
        "temperature_celsius",
        {
            "channel": "kasese-hc3-fridge-t",
            "country": "Uganda",
            "district": "Kasese",
            "equipment": "kasese-hc3-fridge",
            "facility": "kasese-hc3",
            "kind": "fridge",
            "node": "node-7",
            "region": "Western",
        },
        {"value": 4.0},
        1_700_000_000_123,
    )
    assert "value=4.0 " in line


def test_a_doubtful_value_carries_its_quality_and_a_bad_one_only_that() -> None:
    """Quality stands where it is not good; without a usable value it stands alone."""
    readings = [
        Reading(CHANNEL.id, 1, 4.5, Quality.UNCERTAIN, 2),
        Reading(CHANNEL.id, 3, None, Quality.SENSOR_GONE, 4),
    ]
    doubtful, gone = map(only_point, SeriesPrefixes(directory_of()).lines(readings).lines)
    assert doubtful.fields == {"value": 4.5, "quality": "uncertain"}
    assert gone.fields == {"quality": "sensor_gone"}


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_a_good_reading_without_a_finite_value_has_no_line(value: float | None) -> None:
    """What line protocol cannot say is handed back with its reason instead of spoiling the batch."""
    reading = Reading(CHANNEL.id, 1, value, Quality.GOOD, 2)
    lines, ((refused, reason),) = SeriesPrefixes(directory_of()).lines([reading])
    assert (lines, refused, reason) == ([], reading, Unwritable.NO_VALUE)


def test_a_channel_that_is_registered_no_more_has_no_line() -> None:
    """Nobody can say what such a reading measured, so it is handed back with that reason."""
    _, ((_, reason),) = SeriesPrefixes(Directory()).lines([Reading("gone", 1, 1.0, Quality.GOOD, 2)])
    assert reason is Unwritable.UNKNOWN_CHANNEL


@given(st.lists(st.tuples(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False)), max_size=20))
def test_values_and_times_come_back_exactly(pairs: list[tuple[int, float]]) -> None:
    """Every finite float and every time is the same number after the server has read the line."""
    readings = [Reading(CHANNEL.id, at_ms, value, Quality.GOOD, 0) for at_ms, value in pairs]
    points = decode("\n".join(SeriesPrefixes(directory_of()).lines(readings).lines))
    assert [(point.time, point.fields) for point in points] == [(at_ms, {"value": value}) for at_ms, value in pairs]


@given(names, names, names, st.text(max_size=30))
@example("m", "a\\", 'b",x=1 y=2 3\nevil value=1', "\\")
@example("#m", "a\\,", "\\= ", '"\\"')
def test_no_name_makes_a_tag_field_or_line_of_its_own(measurement: str, key: str, value: str, text: str) -> None:
    """Whatever the names are, exactly one line with one tag and one field is read back."""
    line = f"{series(measurement, {key: value})} said={string_field(text)} 7"
    point = only_point(line)
    assert (len(point.tags), list(point.fields), point.time) == (1, ["said"], 7)
    if writable(key) and writable(value):
        assert point.tags == {key: value}
    if writable(measurement) and not measurement.startswith("#"):
        assert point.measurement == measurement


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"]), max_size=50))
def test_a_string_field_comes_back_exactly(text: str) -> None:
    """Quotes, backslashes at any place, commas and equals signs in a string are data."""
    assert only_point(f"m text={string_field(text)} 1").fields == {"text": text}


def test_a_string_field_keeps_its_line_breaks() -> None:
    """A message of several lines stays one field of one point."""
    text = "power off\n\tsince 3 h"
    assert only_point(f"m text={string_field(text)} 1").fields == {"text": text}


def test_naughty_names_stay_names() -> None:
    """A facility, a piece of equipment and a channel may be called anything on the list of naughty strings."""
    for text in naughty_strings():
        channel = replace(CHANNEL, id=text, equipment=text)
        known = directory_of(channel, replace(FACILITY, district=text), replace(FRIDGE, id=text))
        point = only_point(SeriesPrefixes(known).lines([Reading(text, 5, 1.5, Quality.GOOD, 6)]).lines[0])
        assert (len(point.tags), point.fields, point.time) == (8, {"value": 1.5}, 5)
        if writable(text):
            assert {point.tags["channel"], point.tags["district"], point.tags["equipment"]} == {text}


def test_a_tag_without_a_value_is_left_out() -> None:
    """Line protocol has no empty tag values: a facility without a region has no region tag."""
    prefix = SeriesPrefixes(directory_of(facility=replace(FACILITY, region=""))).of(CHANNEL.id)
    assert "region" not in only_point(f"{prefix}value=1 1").tags


@pytest.mark.parametrize("escape", [escape_measurement, escape_tag])
def test_an_empty_name_is_refused(escape: Any) -> None:
    """An empty name would be read as something else, so it is an error of the caller."""
    with pytest.raises(ValueError, match="empty"):
        escape("")


def test_an_alert_event_says_who_what_and_since_when() -> None:
    """The line of an alert carries the place, the rule, the state, the subject, its reference and its text."""
    alert = Alert(
        4821,
        "heat/kasese-hc3-fridge-t/20261120T120000Z",
        "heat",
        Severity.CRITICAL,
        AlertState.UNACKNOWLEDGED,
        SubjectKind.CHANNEL,
        CHANNEL.id,
        FACILITY.id,
        datetime(2026, 11, 20, 12, tzinfo=UTC),
        datetime(2026, 11, 20, 22, tzinfo=UTC),
    )
    point = only_point(
        alert_event_line(alert, FACILITY, text='fridge "2": 9.4 °C, above 8 °C', at_ms=1_795_212_000_000)
    )
    assert point.measurement == "alert_events"
    assert point.tags == {
        "country": "Uganda",
        "district": "Kasese",
        "facility": "kasese-hc3",
        "region": "Western",
        "rule": "heat",
        "severity": "critical",
        "state": "unacknowledged",
        "subject": "kasese-hc3-fridge-t",
    }
    assert point.fields == {
        "alert_id": 4821,
        "started_at_ms": 1_795_176_000_000,
        "text": 'fridge "2": 9.4 °C, above 8 °C',
    }


def test_the_decoder_of_these_tests_reads_the_public_corpus() -> None:
    """The judge is judged: where the corpus gives points, the decoder gives the same ones."""
    path = SHARED / "protocol" / "line_protocol_corpus_subset.json"
    if not path.exists():
        pytest.skip(f"the shared data folder is absent: no {path}")
    cases = json.loads(path.read_text("utf-8"))["decode"].values()
    judged = [case for case in cases if "result" in case["output"]]
    assert len(judged) > 100
    for case in judged:
        points = decode(case["input"]["text"])
        found = [(point.measurement, point.tags, point.fields) for point in points]
        assert found == [_corpus_point(point) for point in case["output"]["result"]], case["input"]["text"]


def _corpus_point(point: Mapping[str, Any]) -> tuple[str, dict[str, str], dict[str, Any]]:
    fields = {field["key"]: next(iter(field["value"].values())) for field in point["fields"]}
    return point["name"], {tag["key"]: tag["value"] for tag in point["tags"]}, fields
