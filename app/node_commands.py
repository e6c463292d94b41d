"""``vitals node``: what the service tells one node, signed with that node's key, and the replies to it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiomqtt

from app.clock import SystemClock
from app.documents import parse_document
from collector.settings import MqttSourceSettings
from collector.sources.link import stop_if_cancelled, tls_context
from domain.command import Command, CommandName, ConfigChange, Outcome, Reply
from domain.errors import OperatorError, PeerError
from domain.instant import MINUTE_MS, format_duration
from domain.rejection import PayloadError
from domain.signed import MIN_KEY_CHARACTERS
from domain.suggest import allowed_words
from domain.topics import NODE_NAME, DownLane, UpLane, down, is_node_name, up

VALID_MS = 10 * MINUTE_MS
"""A node that is away for longer does not obey when it comes back: nobody waits for it any more."""
SETTLED = {Outcome.DONE, Outcome.REFUSED, Outcome.FAILED, Outcome.KEPT, Outcome.ROLLED_BACK}
WELL = {Outcome.DONE, Outcome.KEPT}


def read_key(folder: Path, node: str, key_file: Path | None) -> str:
    """Return the key that this node obeys: of the file, else of NODE.key in the folder; raises ``OperatorError``."""
    if not is_node_name(node):
        raise OperatorError(f"found node {node!r}; allowed: {NODE_NAME}")
    path = key_file or command_key_path(folder, node)
    try:
        key = path.read_text("utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(f"the key of {node}, {path}, cannot be read: {error}") from error
    if len(key) < MIN_KEY_CHARACTERS:
        raise OperatorError(f"the key in {path} is shorter than {MIN_KEY_CHARACTERS} characters")
    return key


def command_key_path(folder: Path, node: str) -> Path:
    """Return where the service keeps a node's command key."""
    return folder / f"{node}.key"


async def send_command(
    broker: MqttSourceSettings,
    node: str,
    key: str,
    name: str,
    arguments: Sequence[str],
    *,
    patience: timedelta,
    say: Callable[[str], None],
) -> bool:
    """Tell the node to do this, show its reply, and return whether it did; raises ``PeerError`` without a reply."""
    if name not in set(CommandName):
        raise OperatorError(f"found command {name!r}; allowed: {allowed_words(name, list(CommandName))}")
    topic = down(node, DownLane.COMMAND)
    command = Command(secrets.token_hex(8), name, _arguments(arguments), SystemClock().now_ms() + VALID_MS)
    payload = command.encode(topic=topic, key=key)
    return await _follow(broker, node, command.id, topic, payload, retain=False, patience=patience, say=say)


async def send_config(
    broker: MqttSourceSettings, node: str, key: str, path: Path, *, patience: timedelta, say: Callable[[str], None]
) -> bool:
    """Give the node this configuration, show what becomes of it, and return whether it is kept.

    It stays at the broker, so a node that is away gets it when it comes back. Raises ``DocumentError`` for a file that
    is no YAML, and ``PeerError`` where the node says nothing, or nothing final, in time.
    """
    text = _text_of(path)
    topic = down(node, DownLane.CONFIG)
    change = ConfigChange(secrets.token_hex(8), SystemClock().now_ms(), text)
    try:
        payload = change.encode(topic=topic, key=key)
    except ValueError as error:
        raise OperatorError(f"{path} cannot be sent: {error}") from error
    return await _follow(broker, node, change.id, topic, payload, retain=True, patience=patience, say=say)


def _text_of(path: Path) -> str:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(f"{path}: cannot be read: {error}") from error
    parse_document(text, str(path))
    return text


def _arguments(written: Sequence[str]) -> dict[str, Any]:
    arguments: dict[str, str | int] = {}
    for each in written:
        name, equals, value = each.partition("=")
        if not equals or not name.isascii():
            raise OperatorError(f"found argument {each!r}; allowed: NAME=VALUE")
        arguments[name] = int(value) if value.isdecimal() and len(value) < 16 else value
    return arguments


async def _follow(
    broker: MqttSourceSettings,
    node: str,
    message_id: str,
    topic: str,
    payload: bytes,
    *,
    retain: bool,
    patience: timedelta,
    say: Callable[[str], None],
) -> bool:
    """Publish, show every reply until the last one, and return whether that is a good one."""
    shown: set[Reply] = set()
    try:
        async with (
            asyncio.timeout(patience.total_seconds()),
            aclosing(_replies(broker, node, topic, payload, retain=retain)) as replies,
        ):
            async for reply in replies:
                if reply.id != message_id or reply in shown:
                    continue  # a node whose connection ended in the middle says it twice
                shown.add(reply)
                why = f" ({reply.reason})" if reply.reason else ""
                say(f"{node}: {reply.name} {reply.outcome}{why}: {reply.detail}")
                if reply.outcome in SETTLED:
                    return reply.outcome in WELL
    except aiomqtt.MqttError as error:
        raise PeerError(f"the broker at {broker.host}:{broker.port} cannot be reached: {error}") from error
    except TimeoutError:
        waits = "the broker keeps it for the node" if retain else f"the node obeys for {VALID_MS // MINUTE_MS} minutes"
        raise PeerError(f"no final reply from {node} within {format_duration(patience)}; {waits}") from None
    raise PeerError(f"the connection to {broker.host}:{broker.port} ended before {node} replied")


async def _replies(
    broker: MqttSourceSettings, node: str, topic: str, payload: bytes, *, retain: bool
) -> AsyncGenerator[Reply, None]:
    username, password = broker.credentials
    client = aiomqtt.Client(
        broker.host,
        broker.port,
        username=username,
        password=password,
        identifier=f"vitals-node-{secrets.token_hex(4)}",
        tls_context=tls_context(broker),
        timeout=10,
    )
    async with client:
        await client.subscribe(up(node, UpLane.REPLY), qos=1)
        await client.publish(topic, payload, qos=1, retain=retain)
        stop_if_cancelled()
        async for message in client.messages:
            try:
                yield Reply.decode(bytes(message.payload))
            except PayloadError:
                continue  # somebody else's, or a later version's
