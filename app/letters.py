"""``vitals deadletter``: what was refused, shown; and sent through once more, by whoever may write the journal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

import aiohttp

from app.clock import SystemClock
from app.config import ServiceConfig
from app.database import open_database
from app.registry_view import RegistryView
from collector.foreign.devices import ForeignDevices
from collector.journal import Journal, JournalLocked, Letter, LetterFilter, LetterGroup
from collector.pipeline import Pipeline
from collector.replaying import Replay, Replayed, is_replayable
from domain.errors import OperatorError, PeerError
from domain.instant import format_rfc3339
from domain.reading import Reading
from domain.receipt import Receipt
from registry.store import RegistryStore

Say = Callable[[str], None]
_SHOWN_BYTES = 2_000


async def list_letters(config: ServiceConfig, wanted: LetterFilter, *, limit: int, as_json: bool, say: Say) -> None:
    """Say how much was refused, by reason and node, and the last of it."""
    async with Journal.open(config.data, read_only=True) as journal:
        groups = await journal.letter_groups(wanted)
        letters = await journal.letters(wanted, limit=limit, newest_first=True)
    if as_json:
        say(json.dumps({"groups": [_group(each) for each in groups], "letters": [_plain(each) for each in letters]}))
        return
    if not groups:
        say("Nothing was refused.")
        return
    for each in groups:
        say(f"{each.letters:>7} {each.reason:<16} {_shown(each.node or '(no node)'):<24} last {_moment(each.last_ms)}")
    say("")
    for letter in letters:
        say(f"{letter.id:>7} {_moment(letter.rejected.received_at_ms)} {letter.rejected.reason}: {_line(letter)}")
    total = sum(each.letters for each in groups)
    if total > len(letters):
        say(f"... and {total - len(letters)} more; --limit shows more, --reason and --node narrow it down")


async def show_letter(
    config: ServiceConfig, number: int, *, raw: bool, say: Say, write: Callable[[bytes], Any]
) -> None:
    """Say everything that is kept of one letter, or write its bytes as they came."""
    async with Journal.open(config.data, read_only=True) as journal:
        found = await journal.letters(LetterFilter(after_id=number - 1, upto_id=number), limit=1)
    if not found:
        raise OperatorError(f"found no letter {number}; `vitals deadletter list` shows which there are")
    (_, refused) = found[0]
    if raw:
        write(refused.payload)
        return
    say(f"letter    {number}")
    say(f"received  {_moment(refused.received_at_ms)}")
    say(f"topic     {_shown(refused.topic)}")
    say(f"node      {_shown(refused.node or '')}")
    say(f"reason    {refused.reason}: {_shown(refused.detail)}")
    say(f"replay    {'possible' if is_replayable(refused) else 'cannot help: the same bytes cannot be accepted'}")
    say(f"payload   {len(refused.payload)} bytes")
    say(_payload(refused.payload))


async def replay_letters(config: ServiceConfig, wanted: LetterFilter, *, say: Say) -> bool:
    """Send letters through once more and say what came of it; return whether all of them were taken.

    The service does it where it runs, for one process writes the journal; else this process does.
    """
    try:
        done = await _replay_here(config, wanted, say)
    except JournalLocked:
        done = await _replay_there(config, wanted)
    again = ", ".join(f"{count} {reason}" for reason, count in done.refused.items())
    say(f"{done.letters} letters sent through, {done.readings} readings stored, refused again: {again or 'none'}")
    if done.left:
        say(f"{done.left} letters left as they are: sending them through cannot help")
    return not done.refused and not done.left


async def _replay_here(config: ServiceConfig, wanted: LetterFilter, say: Say) -> Replayed:
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(config.database_url))
        registry = RegistryView(RegistryStore(database))
        journal = await stack.enter_async_context(Journal.open(config.data, settings=config.journal))
        await registry.refresh()
        pipeline = Pipeline(
            directory=lambda: registry.directory,
            commit=journal.commit,
            send_receipt=_no_receipt,
            on_committed=_nobody_follows,
            foreign=ForeignDevices(config.foreign),
            clock=clock,
            settings=config.pipeline,
        )
        working = asyncio.create_task(pipeline.run(), name="pipeline")
        try:
            return await Replay(journal, pipeline.accept, clock).run(
                wanted, progress=lambda done: say(f"{done.letters} letters sent through ...")
            )
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)


async def _no_receipt(_node: str, _receipt: Receipt) -> None:
    """Leave receipts to the service: a node without one sends again, and that changes nothing."""


def _nobody_follows(_readings: Sequence[Reading], _position: int) -> None:
    """Followers read the journal's log when the service runs again."""


async def _replay_there(config: ServiceConfig, wanted: LetterFilter) -> Replayed:
    host = f"[{config.listen.host}]" if ":" in config.listen.host else config.listen.host
    url = f"http://{host}:{config.listen.port}/api/v1/deadletters/replay"
    try:
        patience = aiohttp.ClientTimeout(total=None, connect=10)
        async with (
            aiohttp.ClientSession(timeout=patience) as session,
            session.post(url, json=_order(wanted)) as response,
        ):
            answer = await response.json(content_type=None)
            if response.status != 200:
                raise PeerError(f"the service at {url} does not replay: {answer.get('detail', response.status)}")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise PeerError(
            f"another process writes the journal in {config.data}, and the service cannot be asked at {url}: {error}"
        ) from error
    result = Replayed(letters=answer["letters"], readings=answer["readings"], left=answer["left"])
    result.refused.update(answer["refused"])
    return result


def _order(wanted: LetterFilter) -> dict[str, Any]:
    order: dict[str, Any] = {"reason": wanted.reason, "node": wanted.node}
    if wanted.since_ms:
        order["since"] = format_rfc3339(wanted.since_ms)
    if wanted.after_id + 1 == wanted.upto_id:
        order["id"] = wanted.upto_id
    return {name: value for name, value in order.items() if value is not None}


def _plain(letter: Letter) -> dict[str, Any]:
    refused = letter.rejected
    return {
        "id": letter.id,
        "received": _moment(refused.received_at_ms),
        "reason": refused.reason,
        "detail": refused.detail,
        "topic": refused.topic,
        "node": refused.node,
        "payload": refused.payload.decode("utf-8", "backslashreplace"),
    }


def _group(group: LetterGroup) -> dict[str, Any]:
    return group._asdict() | {"first_ms": _moment(group.first_ms), "last_ms": _moment(group.last_ms)}


def _line(letter: Letter) -> str:
    where = letter.rejected.node or letter.rejected.topic
    return f"{_shown(where)}: {_shown(letter.rejected.detail)}"


def _moment(moment_ms: int) -> str:
    return format_rfc3339(moment_ms - moment_ms % 1000)


def _shown(text: str) -> str:
    """Return a sender's text so that no sign in it can do anything to a terminal."""
    return "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in text)


def _payload(payload: bytes) -> str:
    text = payload[:_SHOWN_BYTES].decode("utf-8", "backslashreplace")
    more = f"\n... {len(payload) - _SHOWN_BYTES} more bytes; --raw writes all" if len(payload) > _SHOWN_BYTES else ""
    return _shown(text) + more
