"""``vitals replay``: recorded readings through the real way, from the outbox to the receipt."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.clock import SystemClock
from domain.errors import OperatorError
from domain.topics import NODE_NAME, is_node_name
from edge.recordings import FORMATS, CsvMapping, mapping_of, recognise, replay_samples
from edge.settings import BrokerSettings
from edge.transfer import Progress, publish_all


async def replay_files(
    files: Sequence[Path],
    *,
    node: str,
    broker: str,
    speed: float | None,
    format_name: str | None,
    fields: Mapping[str, Any],
    say: Callable[[str], None],
) -> None:
    """Publish the files as ``node`` and return when the collector has everything.

    ``fields`` are those of ``CsvMapping`` that are given differently from the format. Raises ``OperatorError`` for
    options that do not fit, ``DocumentError`` for a row that cannot be read, ``PeerError`` where nobody receipts.
    """
    if not is_node_name(node):
        raise OperatorError(f"--node: found {node!r}; allowed: {NODE_NAME}")
    mapping = _mapping(format_name or recognise(files[0]), fields)
    done = await publish_all(
        replay_samples(files, mapping),
        node=node,
        broker=_broker(broker),
        clock=SystemClock(),
        speed=speed,
        progress=_show if sys.stderr.isatty() else lambda _: None,
    )
    if sys.stderr.isatty():
        print(file=sys.stderr)  # noqa: T201 - ends the progress line
    refused = f"; {done.rejected} were refused, the service's metrics and dead letters say why" if done.rejected else ""
    say(f"{done.put} readings of {', '.join(str(file) for file in files)} are stored{refused}.")


def _mapping(format_name: str | None, fields: Mapping[str, Any]) -> CsvMapping:
    given = dict(fields)
    if "where" in given:
        given["where"] = _conditions(given["where"])
    try:
        return mapping_of(format_name, **given)
    except ValidationError as error:
        missing = ", ".join(
            f"--{'-'.join(map(str, each['loc']))}" for each in error.errors() if each["type"] == "missing"
        )
        if missing:
            known = ", ".join(FORMATS)
            raise OperatorError(
                f"the columns are not those of a known format ({known}): say which they are with {missing}"
            ) from None
        first = error.errors()[0]
        raise OperatorError(str(first["msg"]).removeprefix("Value error, ")) from None


def _conditions(texts: Iterable[str]) -> dict[str, str]:
    conditions = {}
    for text in texts:
        column, equals, wanted = text.partition("=")
        if not equals:
            raise OperatorError(f"--where: found {text!r}; allowed: COLUMN=TEXT")
        conditions[column] = wanted
    return conditions


def _broker(url: str) -> BrokerSettings:
    try:
        return BrokerSettings(url=url)
    except ValidationError as error:
        raise OperatorError(f"--broker: {str(error.errors()[0]['msg']).removeprefix('Value error, ')}") from None


def _show(progress: Progress) -> None:
    sys.stderr.write(f"\r{progress.receipted} of {progress.put} readings stored")
    sys.stderr.flush()
