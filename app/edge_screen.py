"""What a technician sees of a node on its own screen: plain text, aligned, in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

from domain.instant import SECOND_MS, format_duration, format_rfc3339
from domain.quantities import QUANTITIES
from domain.reading import Quality
from domain.units import UNITS_BY_SYMBOL
from edge.commands.remote_config import ConfigState
from edge.status import NodeStatus, Trouble
from edge.survey import Found, Probe

_QUALITY_WORDS = {
    Quality.GOOD: "good",
    Quality.UNCERTAIN: "uncertain",
    Quality.BAD_VALUE: "bad value",
    Quality.SENSOR_GONE: "sensor gone",
    Quality.BUS_ERROR: "bus error",
}
_SHOWN_AS = {row.unit.symbol: row.shown_as for row in QUANTITIES.values() if row.shown_as is not row.unit}
"""Units that a person reads differently: bytes as GB, pascals as bar."""
_HEAD = ("channel", "value", "quality", "took", "driver")
_TROUBLE_WORDS = {
    Trouble.NEVER_RAN: "no agent has run here yet: start it with systemctl start vitals-edge",
    Trouble.NOT_RUNNING: "the agent is not running: systemctl status vitals-edge says why",
    Trouble.HANGS: "the agent runs and says nothing: it hangs, or has just been started",
    Trouble.CLOCK_NOT_TRUSTED: "the clock is not set: is there a network, or a clock with a battery?",
    Trouble.NO_LINK: "no connection to the broker; readings are kept here",
    Trouble.NO_RECEIPTS: "readings wait for more than 15 minutes: the centre does not confirm them",
    Trouble.DISK_LOW: "the disk is nearly full",
}


def sensors_table(found: Sequence[Found]) -> str:
    """Return one line per channel."""
    return _aligned([_HEAD, *(_row(each) for each in found)])


def probes_table(probes: Sequence[Probe]) -> str:
    """Return one line per 1-wire probe that stands in no settings."""
    lines = ["1-wire probes that are attached and not configured (hold one in your hand to see which it is):"]
    lines += [f"  {each.device}  {_celsius(each)}" for each in probes]
    return "\n".join(lines)


def config_text(state: ConfigState) -> str:
    """Return which configuration is in use."""
    if state.current is None:
        return "the node's own file"
    return f"{state.current.id}, from the service, {'on trial' if state.on_trial else 'kept'}"


def status_text(status: NodeStatus | None, troubles: Sequence[Trouble], config: ConfigState, now_ms: int) -> str:
    """Return what there is to say of a node: its troubles first, then the figures."""
    lines = [f"! {_TROUBLE_WORDS[trouble]}" for trouble in troubles] or ["all is well"]
    if status is None:
        return "\n".join(lines)
    waiting = f"{status.waiting_readings} readings"
    if status.oldest_waiting_ms is not None:
        waiting += f", the oldest of {_ago(status.oldest_waiting_ms, now_ms)}"
    link = "connected" if status.connected else f"no connection: {status.last_error or 'none yet'}"
    last = status.last_receipt_ms
    rows = [
        ("node", f"{status.node} (vitals {status.version})"),
        ("as of", f"{_to_seconds(status.written_at_ms)}, started {_ago(status.started_at_ms, now_ms)}"),
        ("broker", f"{status.broker}, {link}"),
        ("last receipt", "none since the start" if last is None else _ago(last, now_ms)),
        ("waiting", waiting),
        ("configuration", config_text(config)),
        ("clock", "trusted" if status.clock_trusted else "not trusted"),
        ("disk", f"{status.disk_free_bytes / 1e9:.1f} GB free"),
    ]
    return "\n".join([*lines, _aligned(rows)])


def status_json(status: NodeStatus | None, troubles: Sequence[Trouble], config: ConfigState, *, running: bool) -> str:
    """Return the same for programs; moments are RFC 3339."""
    known = {} if status is None else status.model_dump()
    moments = {
        name: None if known[name] is None else format_rfc3339(known[name]) for name in known if name[-3:] == "_ms"
    }
    rest = {name: value for name, value in known.items() if name not in moments}
    remote = None if config.current is None else {"id": config.current.id, "on_trial": config.on_trial}
    plain = {"well": not troubles, "troubles": list(troubles), "running": running, "configuration": remote, **rest}
    return json.dumps(plain | {name.removesuffix("_ms"): text for name, text in moments.items()}, indent=2)


def _row(found: Found) -> tuple[str, ...]:
    sample = found.sample
    words = [] if sample is None else [_QUALITY_WORDS[sample.quality]]
    quality = ": ".join([*words, found.reason] if found.reason else words)
    value = "-" if sample is None or sample.value is None else _with_unit(sample.value, sample.unit)
    return found.channel, value, quality, f"{found.took_seconds:.1f} s", found.driver


def _with_unit(value: float, symbol: str | None) -> str:
    if symbol not in UNITS_BY_SYMBOL:
        return f"{value:.6g} {symbol or ''}".rstrip()
    shown = _SHOWN_AS.get(symbol, UNITS_BY_SYMBOL[symbol])
    if shown is not UNITS_BY_SYMBOL[symbol]:
        value = (value - shown.offset) / shown.scale
    return f"{value:.6g} {shown.text}".rstrip()


def _celsius(probe: Probe) -> str:
    return probe.reason if probe.celsius is None else f"{probe.celsius:.1f} °C"


def _ago(moment_ms: int, now_ms: int) -> str:
    seconds = (now_ms - moment_ms) // SECOND_MS
    if seconds < 0:
        return _to_seconds(moment_ms)
    return f"{format_duration(timedelta(seconds=seconds))} ago"


def _to_seconds(moment_ms: int) -> str:
    return format_rfc3339(moment_ms - moment_ms % SECOND_MS)


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
