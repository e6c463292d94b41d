"""Issuing what a node needs: what was written anywhere can be revoked, and a failed rotation shuts nobody out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from app.config import ServiceConfig, read_config
from app.issuing.authority import KEY_FILE, Authority
from app.issuing.provisioning import add_node, credentials_of, revoke_node
from domain.errors import OperatorError
from registry.credentials import CredentialKind

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BROKER = "mqtts://broker.example:8883"


@pytest.fixture
def config(tmp_path: Path) -> ServiceConfig:
    """Return a service's configuration."""
    (tmp_path / "vitals.yaml").write_text("data: data\n", "utf-8")
    return read_config(tmp_path / "vitals.yaml", {})


async def issue(config: ServiceConfig, out: Path, *, now: datetime = NOW, overlap: timedelta | None = None) -> None:
    """Issue a certificate to n1."""
    await add_node(
        config, "n1", broker=BROKER, by_password=False, out=out, now=now, overlap=overlap, say=lambda _line: None
    )


async def test_what_was_half_written_can_be_revoked(config: ServiceConfig, tmp_path: Path) -> None:
    """The disk fails after the certificate was written: it is on record already, and ends with a revocation."""
    (tmp_path / "n1" / "edge.yaml").mkdir(parents=True)
    with pytest.raises(OperatorError, match="cannot be written"):
        await issue(config, tmp_path / "n1")
    assert (tmp_path / "n1" / "node.pem").exists()
    await revoke_node(config, "n1", now=NOW, say=lambda _line: None)
    assert {each.kind for each in await credentials_of(config)} == {CredentialKind.TOKEN, CredentialKind.CERTIFICATE}
    assert not any(each.valid(NOW) for each in await credentials_of(config))


async def test_a_rotation_that_fails_leaves_the_old_credentials_alone(config: ServiceConfig, tmp_path: Path) -> None:
    """Nobody could carry the new ones to the node, so the old ones go on; the next rotation ends them."""
    await issue(config, tmp_path / "first")
    (tmp_path / "broken" / "edge.yaml").mkdir(parents=True)
    week, later = timedelta(days=7), NOW + timedelta(days=30)
    old = {each.mark for each in await credentials_of(config)}
    with pytest.raises(OperatorError, match="cannot be written"):
        await issue(config, tmp_path / "broken", now=NOW, overlap=week)
    assert old <= {each.mark for each in await credentials_of(config) if each.valid(later)}
    await issue(config, tmp_path / "second", now=NOW, overlap=week)
    kept = [each for each in await credentials_of(config) if each.valid(later)]
    assert old.isdisjoint(each.mark for each in kept)
    assert len(kept) == len(old)


async def test_a_folder_that_cannot_be_made_issues_nothing(config: ServiceConfig, tmp_path: Path) -> None:
    """A mistaken --out is one sentence, and the same command works with a better one."""
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(OperatorError, match="cannot be made"):
        await issue(config, tmp_path / "file" / "n1")
    await issue(config, tmp_path / "n1")


def test_a_key_that_cannot_sign_for_mosquitto_is_refused(tmp_path: Path) -> None:
    """A brought-along authority has an RSA or EC key; another kind is one sentence."""
    Authority.open(tmp_path, now=NOW)
    key = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / KEY_FILE).write_bytes(key)
    with pytest.raises(OperatorError, match="neither RSA nor EC"):
        Authority.open(tmp_path, now=NOW)
