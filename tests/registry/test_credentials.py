"""Credentials: a rotation ends everything that the node had, whatever it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from app.database import open_database
from app.issuing.authority import Authority
from registry.credentials import Credential, CredentialKind, CredentialStore

NOW = datetime(2026, 3, 1, tzinfo=UTC)


async def test_a_password_ends_when_a_certificate_replaces_it(tmp_path: Path) -> None:
    """Rotated to another kind without an overlap, nothing of the old kind lets the node in; other nodes keep theirs."""
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'db'}") as engine:
        store = CredentialStore(engine)
        await store.create_tables()
        await store.issue([Credential(node, CredentialKind.PASSWORD, f"{node} p", NOW) for node in ("n1", "n2")])
        later = NOW + timedelta(days=1)
        await store.issue(new := [Credential("n1", CredentialKind.CERTIFICATE, "c", later)])
        await store.end_others("n1", new, later)
        valid = {each.mark for each in await store.all() if each.valid(later + timedelta(seconds=1))}
    assert valid == {"c", "n2 p"}


def test_certificates_name_the_key_that_signed_them(tmp_path: Path) -> None:
    """Strict clients demand it: the authority's key identifier stands in every certificate."""
    authority = Authority.open(tmp_path / "authority", now=NOW)
    pem = authority.issue("n1", now=NOW).certificate
    found = x509.load_pem_x509_certificate(pem).extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    signer = x509.load_pem_x509_certificate(authority.pem).extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    assert found.value.key_identifier == signer.value.digest
