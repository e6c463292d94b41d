"""Foreign messages through the pipeline: listed, unlisted, unknown, retained, and told."""

from __future__ import annotations

from collector.foreign.devices import ForeignDevices
from collector.foreign.settings import ForeignSettings
from collector.lanes import Message
from collector.settings import PipelineSettings
from domain.rejection import Reason
from tests.collector.intake import NOW_MS
from tests.system.foreign_collector import CHANNEL, REGISTRY

DEVICES = ForeignDevices([ForeignSettings(adapter="tasmota"), ForeignSettings(adapter="zigbee2mqtt")])
SAID = b'{"DS18B20":{"Temperature":4.5},"ENERGY":{"Power":26}}'


def message(topic: str, payload: bytes = SAID, *, retained: bool = False) -> Message:
    """Return a message as a source hands it over."""
    return Message(topic, payload, len(payload), NOW_MS, retained)


def test_listed_channels_are_read_and_others_counted() -> None:
    """A plug's temperature that the registry lists is a reading; its power that it does not list is passed over."""
    adapter = DEVICES.find("tele/plug/SENSOR")
    assert adapter is not None
    found = DEVICES.read(message("tele/plug/SENSOR"), adapter, REGISTRY, PipelineSettings())
    assert [(reading.channel, reading.value) for reading in found.readings] == [(CHANNEL, 4.5)]
    assert (found.rejected, found.passed_over) == ([], 1)


def test_an_unknown_device_is_refused_with_its_whole_message() -> None:
    """A device that nobody registered is kept as it came, so that it can be read when somebody has."""
    adapter = DEVICES.find("tele/other/SENSOR")
    assert adapter is not None
    found = DEVICES.read(message("tele/other/SENSOR"), adapter, REGISTRY, PipelineSettings())
    assert [(r.reason, r.node, r.payload) for r in found.rejected] == [(Reason.UNKNOWN_NODE, "tasmota-other", SAID)]


def test_a_retained_message_brings_nothing() -> None:
    """What the broker kept from before is no reading of now."""
    adapter = DEVICES.find("tele/plug/SENSOR")
    assert adapter is not None
    found = DEVICES.read(message("tele/plug/SENSOR", retained=True), adapter, REGISTRY, PipelineSettings())
    assert (found.heard, found.readings, found.rejected) == ([], [], [])


def test_the_topic_alone_decides() -> None:
    """Our own topics and those that nobody listens to have no adapter."""
    assert DEVICES.find("vitals/v1/n1/up/live") is None
    assert DEVICES.find("elsewhere/x") is None
