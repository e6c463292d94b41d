"""The configuration of a mosquitto (2.0 or newer) that knows every node and keeps each to its own topics. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from app.issuing.authority import Authority
from app.issuing.provisioning import SERVICE_NAME
from domain.topics import FACILITY_ROOT, ROOT
from registry.credentials import Credential, CredentialKind

CERTIFICATE_FILE = "server.pem"
"""The broker's own certificate."""
REVOCATIONS_LAST = timedelta(days=10 * 365)
"""A list that ran out would shut out everybody; it is written anew with every change."""
MOST_UNDER_WAY = 1_000
"""Unacknowledged messages per client: the collector acknowledges foreign devices' messages after the commit, and 20,
mosquitto's default, would be all that a commit could take."""
LONGEST_PACKET_BYTES = 1_048_576


class Places(NamedTuple):
    """Where the broker listens, and where its files lie on its machine."""

    folder: str = "/etc/mosquitto/vitals"
    state: str = "/var/lib/mosquitto"
    address: str = ""
    """Of the listeners for nodes; empty means every address."""
    certificate_port: int = 8883
    password_port: int = 8884
    service_port: int = 1883
    """For the service alone, on loopback."""


class Files(NamedTuple):
    """What is written: by name, and whether only the broker may read it."""

    public: Mapping[str, str]
    private: Mapping[str, str]


def files(
    authority: Authority,
    credentials: Iterable[Credential],
    *,
    hosts: list[str],
    also_read: Sequence[str],
    service_password_mark: str,
    places: Places,
    now: datetime,
    displays: Sequence[str] = (),
) -> Files:
    """Return every file of the broker.

    ``hosts`` are the names and addresses under which nodes reach it, ``also_read`` the topics of foreign devices;
    ``displays`` are the nodes that may read the alerts of all facilities.
    """
    issued = list(credentials)
    server = authority.issue(hosts[0], now=now, hosts=hosts)
    ended = [
        (each.mark, each.ends_at)
        for each in issued
        if each.kind is CredentialKind.CERTIFICATE and each.ends_at is not None and each.ends_at <= now
    ]
    return Files(
        public={
            "mosquitto.conf": configuration(places),
            "acl-nodes": f"pattern write {ROOT}/%u/up/#\npattern read {ROOT}/%u/down/#\n"
            + "".join(f"user {node}\ntopic read {FACILITY_ROOT}/#\n" for node in displays),
            "acl-service": f"user {SERVICE_NAME}\ntopic readwrite {ROOT}/#\n"
            + "".join(f"topic read {topic}\n" for topic in also_read),
            "ca.pem": authority.pem.decode(),
            "revoked.pem": authority.revoked(ended, now=now, lasts=REVOCATIONS_LAST).decode(),
            CERTIFICATE_FILE: server.certificate.decode(),
        },
        private={
            "server.key": server.key.decode(),
            "passwords-nodes": passwords(issued, now),
            "passwords-service": f"{SERVICE_NAME}:{service_password_mark}\n",
        },
    )


def passwords(credentials: Iterable[Credential], now: datetime) -> str:
    """Return the password file: the newest valid password of each node, for it holds one of each."""
    newest = {each.node: each.mark for each in credentials if each.kind is CredentialKind.PASSWORD and each.valid(now)}
    return "".join(f"{node}:{newest[node]}\n" for node in sorted(newest))


def configuration(places: Places) -> str:
    """Return ``mosquitto.conf``."""
    folder, address = places.folder, f" {places.address}" if places.address else ""
    own = f"cafile {folder}/ca.pem\ncertfile {folder}/{CERTIFICATE_FILE}\nkeyfile {folder}/server.key\n"
    nodes = f"allow_anonymous false\nacl_file {folder}/acl-nodes\n"
    return f"""\
# Written by `vitals broker config`; changes are lost the next time. Include it from mosquitto.conf, or run it alone.
per_listener_settings true

persistence true
persistence_location {places.state}/
autosave_interval 60
persistent_client_expiration 60d

# Per client. What a client that is away can claim of the broker's memory; nodes and service keep their own copies.
max_inflight_messages {MOST_UNDER_WAY}
max_queued_messages 100000
max_queued_bytes 268435456
max_packet_size {LONGEST_PACKET_BYTES}
max_keepalive 3600

# Nodes with a certificate: its common name is the node, and its client id, so that nobody disconnects another one.
listener {places.certificate_port}{address}
{own}crlfile {folder}/revoked.pem
require_certificate true
use_identity_as_username true
use_username_as_clientid true
tls_version tlsv1.2
{nodes}
# Nodes with a password.
listener {places.password_port}{address}
{own}use_username_as_clientid true
tls_version tlsv1.2
password_file {folder}/passwords-nodes
{nodes}
# The service, from this machine alone: it has several connections, so its client ids are its own.
listener {places.service_port} 127.0.0.1
allow_anonymous false
password_file {folder}/passwords-service
acl_file {folder}/acl-service
"""
