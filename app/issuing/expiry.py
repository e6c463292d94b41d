"""When the certificates that nodes, broker and service live by run out, and what to say before they do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from cryptography import x509

from app.config import BROKER_CERTIFICATE_FILE, ServiceConfig
from app.issuing.authority import CERTIFICATE_FILE
from domain.errors import OperatorError
from registry.credentials import Credential, CredentialKind

WARN_BEFORE = timedelta(days=30)
_MOST_NAMED = 10
"""So many nodes are named in a warning; a nation's certificates were perhaps issued in one week."""


class Holder(StrEnum):
    """Whose certificate it is."""

    AUTHORITY = "authority"
    BROKER = "broker"
    SERVICE = "service"
    NODE = "node"


class Expiry(NamedTuple):
    """When one certificate runs out."""

    holder: Holder
    name: str
    """The node; empty for the others, of which there is one each."""
    expires_at: datetime


_WHAT_TO_DO = {
    Holder.AUTHORITY: "the certificate authority {runs}; everything it signed ends with it",
    Holder.BROKER: "the broker's certificate {runs}; `vitals broker config` issues it anew, then restart the broker",
    Holder.SERVICE: "the service's own certificate at the broker {runs}; put a new one in its place and restart",
    Holder.NODE: "the certificate of node {names} {runs}; `vitals node rotate` issues it anew",
}


def expiries(config: ServiceConfig, credentials: Iterable[Credential]) -> list[Expiry]:
    """Return when every certificate in use runs out, the broker's as far as it was issued here.

    Raises ``OperatorError`` where a file is no certificate.
    """
    files = {
        Holder.AUTHORITY: config.authority_folder / CERTIFICATE_FILE,
        Holder.BROKER: config.data / BROKER_CERTIFICATE_FILE,
        Holder.SERVICE: config.mqtt.certificate_file,
    }
    found = [Expiry(holder, "", _end_of(path)) for holder, path in files.items() if path is not None and path.exists()]
    return found + _of_nodes(credentials)


def _of_nodes(credentials: Iterable[Credential]) -> list[Expiry]:
    """Return when each node's last certificate runs out, or ran out, of those that nobody revoked or replaced."""
    last: dict[str, datetime] = {}
    for each in credentials:
        if each.kind is CredentialKind.CERTIFICATE and each.expires_at is not None and each.ends_at is None:
            last[each.node] = max(each.expires_at, last.get(each.node, each.expires_at))
    return [Expiry(Holder.NODE, node, last[node]) for node in sorted(last)]


def mark(expires_at: datetime, now: datetime) -> str:
    """Return the word for a certificate that needs attention, else nothing."""
    if expires_at <= now:
        return "OVER"
    return "SOON OVER" if expires_at - now < WARN_BEFORE else ""


def warnings(found: Sequence[Expiry], now: datetime) -> list[str]:
    """Return a sentence for each that ran out or soon does; nodes share one, the most urgent ones named."""
    urgent = sorted((each for each in found if mark(each.expires_at, now)), key=lambda each: each.expires_at)
    by_holder = sorted(urgent, key=lambda each: list(Holder).index(each.holder))
    return [_warning(holder, list(some), now) for holder, some in groupby(by_holder, key=lambda each: each.holder)]


def _warning(holder: Holder, some: Sequence[Expiry], now: datetime) -> str:
    first = some[0].expires_at
    names = ", ".join(each.name for each in some[:_MOST_NAMED])
    if len(some) > _MOST_NAMED:
        names += f" and of {len(some) - _MOST_NAMED} more"
    runs = f"{'ran' if first <= now else 'runs'} out on {first:%Y-%m-%d}"
    return _WHAT_TO_DO[holder].format(names=names, runs=f"{runs} or later" if len(some) > 1 else runs)


def _end_of(path: Path) -> datetime:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except (OSError, ValueError) as error:
        raise OperatorError(f"{path} cannot be read as a certificate: {error}") from error
