"""``vitals broker config``: writes what a broker needs to let in whom the service knows, and nobody else."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from app.config import BROKER_CERTIFICATE_FILE, SERVICE_PASSWORD_FILE, ServiceConfig
from app.issuing import mosquitto
from app.issuing.authority import Authority, write_private
from app.issuing.mosquitto import Files, Places
from app.issuing.provisioning import SERVICE_NAME, credentials_of, password_mark
from collector.foreign.devices import ForeignDevices
from domain.errors import OperatorError
from domain.suggest import allowed_words

KINDS = {"mosquitto": mosquitto.files}
"""The brokers that can be configured: a name, and what returns its files."""
BROKER_USER = "mosquitto"


async def write_broker_config(
    config: ServiceConfig,
    kind: str,
    out: Path,
    *,
    hosts: list[str],
    places: Places,
    now: datetime,
    say: Callable[[str], None],
    displays: Sequence[str] = (),
) -> None:
    """Write all files of the broker into ``out``, the service's password into the data folder where it is missing.

    ``displays`` are the nodes that may read the alerts of all facilities.

    Writing them again changes nothing but the server's certificate and what was issued or revoked since.
    """
    if kind not in KINDS:
        raise OperatorError(f"found kind {kind!r}; allowed: {allowed_words(kind, list(KINDS))}")
    credentials = await credentials_of(config)
    authority = Authority.open(config.authority_folder, now=now)
    try:
        password = _service_password(config.data / SERVICE_PASSWORD_FILE)
        files = KINDS[kind](
            authority,
            credentials,
            hosts=hosts,
            also_read=ForeignDevices(config.foreign).filters,
            service_password_mark=password_mark(password),
            places=places,
            now=now,
            displays=displays,
        )
        _write(files, out)
        (config.data / BROKER_CERTIFICATE_FILE).write_text(files.public[mosquitto.CERTIFICATE_FILE], "utf-8")
    except OSError as error:
        raise OperatorError(f"the broker's files cannot be written: {error.filename}: {error.strerror}") from error
    nodes = {each.node for each in credentials if each.valid(now)}
    say(f"{out}: {kind} lets in {len(nodes)} nodes, and the service as {SERVICE_NAME}")
    say(f"It expects these files in {places.folder}, readable by the user {BROKER_USER}. Restart it after a change.")
    say("In the service's configuration:")
    say(f"  mqtt: {{url: 'mqtt://127.0.0.1:{places.service_port}', username: {SERVICE_NAME},")
    say(f"         password: {{file: {(config.data / SERVICE_PASSWORD_FILE).absolute()}}}}}")


def _write(files: Files, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for name, text in files.public.items():
        (out / name).write_text(text, "utf-8")
    for name, text in files.private.items():
        write_private(out / name, text.encode())
        _hand_over(out / name)


def _hand_over(path: Path) -> None:
    """Let the broker's own user read the file, where there is one on this machine and we may give it away."""
    if os.geteuid() == 0:
        with suppress(LookupError):
            shutil.chown(path, group=BROKER_USER)
            path.chmod(0o640)


def _service_password(path: Path) -> str:
    if path.exists():
        return path.read_text("utf-8")
    password = secrets.token_urlsafe(32)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, password.encode())
    return password
