"""``vitals node add|rotate|revoke|credentials``: what a node needs to publish, in a folder to be carried to it."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from app.config import ServiceConfig
from app.database import make_folder, open_database
from app.edge import read_edge_config
from app.issuing.authority import Authority, Issued, write_private
from app.issuing.expiry import Holder, expiries, mark
from app.node_commands import command_key_path
from app.yaml_document import render_document
from domain.errors import OperatorError
from domain.topics import FACILITY, NODE_NAME, is_node_name
from registry.credentials import Credential, CredentialKind, CredentialStore, token_mark

Say = Callable[[str], None]
SERVICE_NAME = "vitals-service"
"""The service's own name at the broker; no node may have it."""
_ITERATIONS = 101
"""As mosquitto_passwd writes them; the passwords have 192 random bits, so that a dictionary is no help."""


async def add_node(
    config: ServiceConfig,
    node: str,
    *,
    broker: str,
    by_password: bool,
    out: Path,
    now: datetime,
    overlap: timedelta | None,
    say: Say,
) -> None:
    """Issue everything anew and write it to ``out``; with ``overlap`` what the node had goes on for so long.

    Raises ``OperatorError`` for a node that has something already (without overlap), or nothing yet (with it).
    """
    _check_name(node)
    tls = urlsplit(broker).scheme == "mqtts"
    if not tls and not by_password:
        raise OperatorError(f"found broker {broker!r}; allowed: mqtts://host:port, for a certificate needs TLS")
    async with _store(config) as store:
        valid = [each for each in await store.all(node) if each.valid(now)]
        if valid and overlap is None:
            raise OperatorError(f"{node} has what it needs; `vitals node rotate {node}` issues it anew")
        if not valid and overlap is not None:
            raise OperatorError(f"{node} has nothing that could be rotated; `vitals node add {node}` issues it")
        authority = Authority.open(config.authority_folder, now=now)
        issued = None if by_password else authority.issue(node, now=now)
        password, token = secrets.token_urlsafe(24), secrets.token_urlsafe(32)
        credentials = [Credential(node, CredentialKind.TOKEN, token_mark(token), now)]
        if issued is None:
            credentials.append(Credential(node, CredentialKind.PASSWORD, password_mark(password), now))
        else:
            mark, expires_at = issued.serial, issued.expires_at
            credentials.append(Credential(node, CredentialKind.CERTIFICATE, mark, now, expires_at))
        secret: Issued | str = issued or password
        _make_private(out)
        # Noted before anybody can have it, or what lets the node in could not be revoked.
        await store.issue(credentials)
        _write_folder(config, node, out, broker=broker, ca=authority.pem if tls else b"", secret=secret, token=token)
        if overlap is not None:
            await store.end_others(node, credentials, now + overlap)
    say(f"{out}: everything that {node} needs; carry it to /etc/vitals on the node over a way that nobody reads along")
    say("The broker learns of it by `vitals broker config`; HTTP takes the token within seconds.")


async def revoke_node(config: ServiceConfig, node: str, *, now: datetime, say: Say) -> None:
    """Let the node in no more: over HTTP within seconds, at the broker with its next configuration."""
    async with _store(config) as store:
        ended = await store.revoke(node, now)
    if not ended:
        raise OperatorError(f"{node} has nothing that could be revoked; `vitals node credentials` shows who has")
    say(f"{node}: {ended} revoked. Now write the broker's files with `vitals broker config` and restart the broker.")


async def list_credentials(config: ServiceConfig, *, now: datetime, say: Say) -> None:
    """Say what every node has, until when, and what needs attention."""
    issued = await credentials_of(config)
    certificates = expiries(config, issued)
    over = {(each.name, each.expires_at) for each in certificates if each.expires_at <= now}
    found = [each for each in issued if each.valid(now) or (each.node, each.expires_at) in over]
    if not found:
        say("Nothing was issued yet; `vitals node add NODE` does it.")
    for each in sorted(found, key=lambda each: (each.node, each.kind)):
        end = min((end for end in (each.expires_at, each.ends_at) if end is not None), default=None)
        until = "" if end is None else f" until {end:%Y-%m-%d} {mark(end, now)}".rstrip()
        say(f"{each.node:<24} {each.kind.value:<12} since {each.issued_at:%Y-%m-%d}{until}")
    for holder, _, end in certificates:
        if holder is not Holder.NODE:
            say(f"({holder.value}){'':<{22 - len(holder)}} certificate  until {end:%Y-%m-%d} {mark(end, now)}".rstrip())


async def credentials_of(config: ServiceConfig) -> list[Credential]:
    """Return everything that was ever issued."""
    async with _store(config) as store:
        return list(await store.all())


def password_mark(password: str) -> str:
    """Return a password as mosquitto keeps it: PBKDF2 with HMAC-SHA512 (RFC 8018), salted."""
    salt = os.urandom(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    return f"$7${_ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def _make_private(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise OperatorError(f"{out} cannot be made: {error.strerror}") from error


def _write_folder(
    config: ServiceConfig, node: str, out: Path, *, broker: str, ca: bytes, secret: Issued | str, token: str
) -> None:
    """Write the node's folder, and check that an agent takes it as it is."""
    entry: dict[str, object] = {"url": broker}
    try:
        if ca:
            (out / "ca.pem").write_bytes(ca)
            entry["ca_file"] = "ca.pem"
        if isinstance(secret, str):
            write_private(out / "password", secret.encode())
            entry |= {"username": node, "password": {"file": "password"}}
        else:
            (out / "node.pem").write_bytes(secret.certificate)
            write_private(out / "node.key", secret.key)
            entry |= {"certificate_file": "node.pem", "key_file": "node.key"}
        write_private(out / "http-token", token.encode())
        write_private(out / "command.key", _command_key(config, node).encode())
        document = {
            "node": node,
            "broker": entry,
            "command_key": {"file": "command.key"},
            "outbox": "/var/lib/vitals/outbox.db",
            "status": "/run/vitals/status.json",
            "drivers": [{"driver": "health"}],
        }
        (out / "edge.yaml").write_text(render_document(document), "utf-8")
    except OSError as error:
        raise OperatorError(f"{out} cannot be written: {error.strerror}") from error
    read_edge_config(out / "edge.yaml", {})


def _command_key(config: ServiceConfig, node: str) -> str:
    """Return the key that the node obeys, made at the first time."""
    path = command_key_path(config.key_folder, node)
    if path.exists():
        return path.read_text("utf-8").removesuffix("\n")
    key = secrets.token_hex(32)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(path, key.encode())
    return key


def _check_name(node: str) -> None:
    if not is_node_name(node) or node in {SERVICE_NAME, FACILITY}:
        raise OperatorError(f"found node {node!r}; allowed: {NODE_NAME}, other than {SERVICE_NAME} and {FACILITY}")


@asynccontextmanager
async def _store(config: ServiceConfig) -> AsyncIterator[CredentialStore]:
    make_folder(config.data)
    async with open_database(config.database_url) as database:
        store = CredentialStore(database)
        await store.create_tables()
        yield store
