"""Every adapter against its folder of messages; every adapter against whatever else may come."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.foreign.naming import node_name
from collector.foreign.table import ADAPTERS
from collector.foreign.topics import matches
from domain.instant import format_rfc3339
from domain.rejection import PayloadError
from domain.topics import is_node_name
from tests.collector.intake import NOW_MS
from tests.recordings import DATA, needs_recordings

CASES = sorted(Path(__file__).parent.glob("*/*.json"))
ARRIVAL = "arrival"


def payload_of(case: dict[str, Any]) -> bytes:
    """Return the bytes of a case: hexadecimal, a text as it is, or an object as JSON."""
    if "payload_hex" in case:
        return bytes.fromhex(case["payload_hex"])
    said = case["payload"]
    return (said if isinstance(said, str) else json.dumps(said)).encode()


def read(adapter: str, case: dict[str, Any]) -> dict[str, list[list[Any]]]:
    """Return what the adapter makes of a case, in the words of the case files."""
    zone = ZoneInfo(case["zone"]) if "zone" in case else None
    return {
        batch.node: [
            [s.name, ARRIVAL if s.measured_at_ms == NOW_MS else format_rfc3339(s.measured_at_ms), s.value, s.unit,
             s.quality.label]
            for s in batch.samples
        ]
        for batch in ADAPTERS[adapter].read(case["topic"], payload_of(case), NOW_MS, zone=zone)
    }  # fmt: skip


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_message_becomes_the_samples_beside_it(path: Path) -> None:
    """What a device said becomes these names, times, values, units and qualities, or is refused for this reason."""
    case = json.loads(path.read_text(encoding="utf-8"))
    if "refused" in case:
        with pytest.raises(PayloadError) as refused:
            read(path.parent.name, case)
        assert refused.value.reason == case["refused"]
    else:
        assert read(path.parent.name, case) == case["expected"]


def test_every_adapter_has_a_folder_of_messages() -> None:
    """An adapter without examples is not finished."""
    assert {path.parent.name for path in CASES} == set(ADAPTERS)


leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
words = st.sampled_from(
    ["Time", "StatusSNS", "DS18B20", "Temperature", "TempUnit", "method", "NotifyStatus", "params", "ts", "last_seen",
     "deviceInfo", "devEui", "object", "rxInfo", "rssi", "meta", "schemaVersion", "data", "records", "ABST", "RELT",
     "TVC", "LERR", "ALRM", "CMPR", "ASER", "contact", "9999-12-31T23:59:59", "0001-01-01T00:00:00", "P1DT1H", "T"]
)  # fmt: skip
anything = st.recursive(
    leaf | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words | st.text(max_size=8), inner, max_size=6),
    max_leaves=25,
)
payloads = st.binary(max_size=200) | anything.map(lambda found: json.dumps(found).encode())
TOPICS = {
    "tasmota": ["tele/x/SENSOR", "stat/x/STATUS8"],
    "shelly": ["shellies/x/relay/0", "x/status/switch:0", "x/events/rpc"],
    "zigbee2mqtt": ["zigbee2mqtt/x"],
    "chirpstack": ["application/1/device/a1/event/up"],
    "sparkplug": ["spBv1.0/g/NDATA/n", "spBv1.0/g/DBIRTH/n/d"],
    "ems": ["cce-interop/x"],
}
zones = st.sampled_from([None, ZoneInfo("UTC"), ZoneInfo("Africa/Kampala"), ZoneInfo("America/Santiago")])


@pytest.mark.parametrize("adapter", ADAPTERS)
@given(data=st.data())
def test_whatever_comes_is_read_or_refused(adapter: str, data: st.DataObject) -> None:
    """No payload and no topic raises anything but ``PayloadError``, and every batch has a name that a node may have."""
    topic = data.draw(st.sampled_from(TOPICS[adapter]) | st.text(max_size=40))
    payload, zone = data.draw(payloads), data.draw(zones)
    try:
        batches = ADAPTERS[adapter].read(topic, payload, NOW_MS, zone=zone)
    except PayloadError:
        return
    for batch in batches:
        assert is_node_name(batch.node)
        assert all((sample.value is None) != sample.quality.usable for sample in batch.samples)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_brackets_without_end_are_refused(adapter: str) -> None:
    """A payload of levels without number is refused like any other."""
    with pytest.raises(PayloadError):
        ADAPTERS[adapter].read(TOPICS[adapter][-1], b'{"a":' * 100_000, NOW_MS, zone=None)


@given(st.lists(st.text(max_size=90), min_size=2, max_size=2, unique=True))
def test_two_devices_never_share_a_name(identities: list[str]) -> None:
    """Different identities get different names, each fit for a node."""
    first, second = (node_name("tasmota", identity) for identity in identities)
    assert first != second
    assert is_node_name(first)
    assert is_node_name(second)


@pytest.mark.parametrize(
    ("topic_filter", "topic", "is_match"),
    [
        ("tele/+/SENSOR", "tele/x/SENSOR", True),
        ("tele/+/SENSOR", "tele/x/y/SENSOR", False),
        ("tele/+/SENSOR", "tele/x/SENSOR/y", False),
        ("shellies/+/#", "shellies/x", True),
        ("shellies/+/#", "shellies/x/relay/0", True),
        ("#", "$SYS/broker", False),
        ("a/b", "a/b", True),
    ],
)
def test_filters_match_as_mqtt_says(topic_filter: str, topic: str, is_match: bool) -> None:
    """A plus is one level, a hash is any number of them and none, and neither shows the broker's own topics."""
    assert matches(topic_filter, topic) is is_match


@needs_recordings
@pytest.mark.parametrize("name", ["mains_normal", "power_outage"])
def test_recorded_cold_chain_reports_are_read_whole(name: str) -> None:
    """Every record of the recorded files becomes its fields, with the compressor in seconds and holdover in seconds."""
    found = json.loads((DATA / "coldchain" / "ems" / f"{name}.json").read_text())
    content = json.dumps({"ASER": "A1", "records": found["records"]})
    rows = read("ems", {"topic": "cce-interop/x", "payload": content})["ems-A1"]
    for field, scale in (("TVC", 1.0), ("CMPR", 1.0), ("SVA", 1.0), ("HOLD", 86_400.0)):
        assert [row[2] for row in rows if row[0] == field] == [record[field] * scale for record in found["records"]]


@needs_recordings
def test_recorded_uplinks_are_read_when_the_codec_has_decoded_them() -> None:
    """A recorded ChirpStack v4 uplink with what its codec is expected to decode becomes exactly these values."""
    recorded = json.loads((DATA / "payloads" / "lorawan_uplinks.json").read_text())
    uplinks = [each for each in recorded if "deviceInfo" in each["payload"]]
    assert uplinks
    for each in uplinks:
        values = each["expected"]["telemetry"][0]["values"]
        numbers = {key: value for key, value in values.items() if isinstance(value, int | float)}
        dev_eui = each["payload"]["deviceInfo"]["devEui"]
        case = {
            "topic": f"application/1/device/{dev_eui}/event/up",
            "payload": each["payload"] | {"object": numbers},
        }
        rows = read("chirpstack", case)[f"chirpstack-{dev_eui.lower()}"]
        assert {row[0]: row[2] for row in rows if row[0] != "rssi"} == numbers


@needs_recordings
def test_recorded_messages_are_read_by_the_adapter_of_their_topic() -> None:
    """Each recorded MQTT message of a maker that we know brings at least one value."""
    recorded = json.loads((DATA / "payloads" / "mqtt_samples.json").read_text())
    known = {
        "tele/": "tasmota",
        "A38/": "tasmota",
        "stat/": "tasmota",
        "zigbee2mqtt/": "zigbee2mqtt",
        "shelly": "shelly",
    }
    for each in recorded:
        adapter = next((name for start, name in known.items() if each["topic"].startswith(start)), None)
        if adapter is not None:
            batches = ADAPTERS[adapter].read(each["topic"], each["payload"].encode(), NOW_MS, zone=None)
            assert any(sample.value is not None for batch in batches for sample in batch.samples), each["topic"]
