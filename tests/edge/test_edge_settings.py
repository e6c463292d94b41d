"""A node's settings: what is written is understood or refused with its place."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from edge.drivers import DRIVERS
from edge.drivers.ds18b20 import Ds18b20Settings
from edge.settings import BrokerAddress, BrokerSettings, EdgeSettings

NODE: dict[str, Any] = {
    "node": "kasese-hc3",
    "broker": "mqtt://127.0.0.1:1883",
    "outbox": "outbox.sqlite",
    "drivers": [{"driver": "ds18b20", "probes": {"28-0316a2795dff": "fridge"}}],
}


def test_a_small_document_is_enough() -> None:
    """Everything that can have a default has one."""
    settings = EdgeSettings.model_validate(NODE | {"interval": "1min 30s"})
    assert settings.interval == timedelta(seconds=90)
    assert settings.broker.address() == BrokerAddress("127.0.0.1", 1883, False, None, None)
    assert isinstance(settings.drivers[0], Ds18b20Settings)
    assert settings.drivers[0].probes == {"28-0316a2795dff": "fridge"}


@pytest.mark.parametrize(
    ("broker", "address"),
    [
        ({"url": "mqtt://a"}, ("a", 1883, False, None, None)),
        ({"url": "mqtts://a"}, ("a", 8883, True, None, None)),
        ({"url": "mqtt://u:p%40ss@a:1"}, ("a", 1, False, "u", "p@ss")),
        ({"url": "mqtt://a", "username": "u", "password": "p"}, ("a", 1883, False, "u", "p")),
        ({"host": "a"}, ("a", 1883, False, None, None)),
        ({"host": "a", "tls": True}, ("a", 8883, True, None, None)),
        ({"host": "a", "port": 5, "tls": True, "username": "u"}, ("a", 5, True, "u", None)),
    ],
)
def test_a_broker_is_an_address_or_its_parts(broker: dict[str, Any], address: tuple[Any, ...]) -> None:
    """Both ways of writing lead to the same place."""
    assert BrokerSettings.model_validate(broker).address() == address


def test_a_password_is_not_shown() -> None:
    """Neither settings nor addresses put a password into a log."""
    broker = BrokerSettings.model_validate({"host": "a", "username": "u", "password": "secret"})
    assert "secret" not in f"{broker!r} {broker.address()}"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"node": "a/b"}, ("node",)),
        ({"node": "#"}, ("node",)),
        ({"colour": "red"}, ("colour",)),
        ({"interval": "soon"}, ("interval",)),
        ({"interval": "0s"}, ("interval",)),
        ({"broker": "http://a"}, ("broker",)),
        ({"broker": {"url": "mqtt://a", "port": 5}}, ("broker",)),
        ({"broker": {}}, ("broker",)),
        ({"broker": {"url": "mqtt://a", "ca_file": "ca.pem"}}, ("broker",)),
        ({"drivers": []}, ("drivers",)),
        ({"drivers": [{"driver": "abacus"}]}, ("drivers", 0)),
        ({"drivers": [{}]}, ("drivers", 0)),
        ({"drivers": ["ds18b20"]}, ("drivers", 0)),
        ({"drivers": [NODE["drivers"][0], {"driver": "ds18b20", "probes": {}, "x": 1}]}, ("drivers", 1, "probes")),
        ({"drivers": [{"driver": "ds18b20", "probes": {"28-0316a2795dff": "a b"}}]}, ("drivers", 0, "probes")),
        ({"publish": {"window": 1}}, ("publish", "window")),
    ],
)
def test_a_mistake_is_refused_at_its_place(change: dict[str, Any], place: tuple[str | int, ...]) -> None:
    """The error's path leads to the value, also inside one driver's settings."""
    with pytest.raises(ValidationError) as refusal:
        EdgeSettings.model_validate(NODE | change)
    assert place in {error["loc"][: len(place)] for error in refusal.value.errors()}


@pytest.mark.parametrize("name", DRIVERS)
def test_every_row_of_the_table_stands(name: str) -> None:
    """Each driver's module has the settings class and the factory that its row names."""
    row = DRIVERS[name]
    assert row.settings_class().model_fields["driver"].default == name
    assert callable(row.factory())
