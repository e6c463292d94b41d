"""The commented examples under deploy/ are what they say: files that work as they stand, and with every line in use."""

from __future__ import annotations

import re
from pathlib import Path

from app.config import ServiceConfig, read_config
from app.edge import read_edge_config

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
SECRETS = {"VITALS_MQTT_PASSWORD": "x", "VITALS_OIDC_SECRET": "y"}


def test_the_service_example_describes_the_defaults() -> None:
    """What stands in the example uncommented changes nothing but the console, which is on anyway."""
    found = read_config(DEPLOY / "vitals.yaml", {})
    assert found == ServiceConfig(data=DEPLOY / "vitals-data")


def test_every_commented_line_of_the_service_example_is_allowed(tmp_path: Path) -> None:
    """Taking the comment signs away gives a file that is understood whole."""
    text = (DEPLOY / "vitals.yaml").read_text("utf-8")
    whole = re.sub(r"^( *)# ?( *(?:- )?[a-z_]+: )", r"\1\2", text, flags=re.MULTILINE).replace(
        "/run/secrets/webhook", "secret"
    )
    (tmp_path / "secret").write_text("s3cret\n")
    (tmp_path / "vitals.yaml").write_text(whole)
    found = read_config(tmp_path / "vitals.yaml", SECRETS)
    assert found.influxdb is not None
    assert found.database is not None
    assert found.access.oidc is not None
    assert found.registry == tmp_path / "registry"
    assert found.mqtt.credentials == ("collector", "x")


def test_the_node_example_is_a_node() -> None:
    """The example is understood as it stands; what a technician has to fill in says so."""
    found = read_edge_config(DEPLOY / "edge" / "edge.yaml", {})
    assert found.node == "change-me"
    assert found.drivers
