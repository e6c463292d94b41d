"""Settings of the intake: what may be written, and what waits between attempts look like."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from collector import backoff
from collector.settings import MqttSourceSettings, PipelineSettings, ValidationSettings
from collector.sources.link import tls_context
from domain.errors import OperatorError


def test_the_address_tells_host_port_encryption_and_credentials() -> None:
    """A url says it all; fields of their own win over it, so that secrets can come from elsewhere."""
    plain = MqttSourceSettings(url="mqtt://broker.example")
    assert (plain.host, plain.port, plain.tls, plain.credentials) == ("broker.example", 1883, False, (None, None))
    full = MqttSourceSettings.model_validate({"url": "mqtts://me:p%40ss@[::1]:99", "username": "other"})
    assert (full.host, full.port, full.tls, full.credentials) == ("::1", 99, True, ("other", "p@ss"))
    assert MqttSourceSettings(url="mqtts://b").port == 8883


def test_a_password_is_not_shown() -> None:
    """Settings are logged and printed; secrets are not."""
    assert "swordfish" not in repr(MqttSourceSettings.model_validate({"password": "swordfish"}))


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "broker:1883"},
        {"url": "http://broker"},
        {"url": "mqtt://broker:notaport"},
        {"url": "mqtt://broker", "ca_file": "ca.pem"},
        {"url": "mqtts://broker", "certificate_file": "me.pem"},
        {"client_id": ""},
        {"keepalive": "-5s"},
        {"hots": "broker"},
    ],
)
def test_wrong_source_settings_are_refused(fields: dict[str, str]) -> None:
    """What cannot work is said when the configuration is read."""
    with pytest.raises(ValidationError):
        MqttSourceSettings.model_validate(fields)


def test_certificates_that_cannot_be_used_are_the_operators_to_mend(tmp_path: Path) -> None:
    """A missing or broken file is one clear sentence at the start, not a connection that never comes."""
    broken = tmp_path / "ca.pem"
    broken.write_text("nonsense")
    for path in (broken, tmp_path / "missing.pem"):
        with pytest.raises(OperatorError, match="certificate files"):
            tls_context(MqttSourceSettings(url="mqtts://broker", ca_file=path))


def test_times_need_a_zone_and_durations_a_length() -> None:
    """A naive date would mean another moment on another machine."""
    with pytest.raises(ValidationError):
        ValidationSettings(oldest=datetime(2020, 1, 1))  # noqa: DTZ001 - the fault under test
    with pytest.raises(ValidationError):
        PipelineSettings(group_age=timedelta(0))


@settings(deadline=None)
@given(st.integers(1, 5_000), st.integers(1, 60_000), st.floats(0, 1))
def test_waits_grow_to_a_bound_and_never_end(first_ms: int, longest_ms: int, jitter: float) -> None:
    """Each wait is between half and all of a doubling that stops at the longest."""
    waits = backoff.waits(timedelta(milliseconds=first_ms), timedelta(milliseconds=longest_ms), lambda: jitter)
    full = [min(first_ms * 2**n, longest_ms) / 1000 for n in range(30)]
    for wait, most in zip(islice(waits, 30), full, strict=True):
        assert most / 2 * 0.999 <= wait <= most * 1.001
