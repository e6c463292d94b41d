"""The certificate authority: kept by the service in a folder of its own, or brought along by the operator."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from domain.errors import OperatorError

CERTIFICATE_FILE, KEY_FILE = "ca.pem", "ca.key"
AUTHORITY_LASTS = timedelta(days=20 * 365)
CERTIFICATE_LASTS = timedelta(days=5 * 365)
CLOCK_MARGIN = timedelta(days=1)
"""Valid from so long ago on: clocks differ."""


class Issued(NamedTuple):
    """A certificate and its key, as PEM."""

    certificate: bytes
    key: bytes
    serial: str
    """Hexadecimal."""
    expires_at: datetime


class Authority:
    """Signs certificates and lists of revoked ones."""

    def __init__(self, certificate: x509.Certificate, key: CertificateIssuerPrivateKeyTypes) -> None:
        self.certificate = certificate
        self._key = key

    @property
    def pem(self) -> bytes:
        """Return the certificate that everybody trusts."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @classmethod
    def open(cls, folder: Path, *, now: datetime) -> Authority:
        """Return the authority in a folder, made at the first use; raise ``OperatorError`` where it cannot be used."""
        certificate, key = folder / CERTIFICATE_FILE, folder / KEY_FILE
        if certificate.exists() != key.exists():
            there, missing = (certificate, key) if certificate.exists() else (key, certificate)
            raise OperatorError(f"found {there} without {missing}; allowed: both, or neither to have them made")
        if not key.exists():
            return cls._make(folder, now)
        try:
            loaded = serialization.load_pem_private_key(key.read_bytes(), password=None)
            authority = cls(x509.load_pem_x509_certificate(certificate.read_bytes()), loaded)  # type: ignore[arg-type]
            if authority.certificate.public_key() != loaded.public_key():
                raise OperatorError(f"{certificate} and {key} do not belong together")
        except (OSError, ValueError, TypeError) as error:
            raise OperatorError(f"the authority in {folder} cannot be used: {error}") from error
        return authority

    @classmethod
    def _make(cls, folder: Path, now: datetime) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Vitals certificate authority")])
        usage = x509.KeyUsage(
            key_cert_sign=True, crl_sign=True, digital_signature=False, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
            decipher_only=False,
        )  # fmt: skip
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - CLOCK_MARGIN)
            .not_valid_after(now + AUTHORITY_LASTS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_private(folder / KEY_FILE, _key_pem(key))
            (folder / CERTIFICATE_FILE).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        except OSError as error:
            raise OperatorError(f"the authority cannot be kept in {folder}: {error.strerror}") from error
        return cls(certificate, key)

    def issue(self, name: str, *, now: datetime, hosts: Sequence[str] = ()) -> Issued:
        """Return a new certificate for a client, or for a server that answers under ``hosts``."""
        key, serial, expires_at = (
            ec.generate_private_key(ec.SECP256R1()),
            x509.random_serial_number(),
            now + CERTIFICATE_LASTS,
        )
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(serial)
            .not_valid_before(now - CLOCK_MARGIN)
            .not_valid_after(expires_at)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        )
        if hosts:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_host(each) for each in hosts]), critical=False
            )
        certificate = builder.sign(self._key, hashes.SHA256())
        return Issued(certificate.public_bytes(serialization.Encoding.PEM), _key_pem(key), f"{serial:x}", expires_at)

    def revoked(self, serials: Iterable[tuple[str, datetime]], *, now: datetime, lasts: timedelta) -> bytes:
        """Return the list of revoked certificates as PEM; who reads it refuses everybody once ``lasts`` is over."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(now - CLOCK_MARGIN)
            .next_update(now + lasts)
        )
        for serial, at in serials:
            entry = x509.RevokedCertificateBuilder().serial_number(int(serial, 16)).revocation_date(at)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, whatever was there before."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
