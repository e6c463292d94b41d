"""Cold-chain equipment in the JSON of CCE interop 0.8.1 (EMS and RTM) and of WHO PQS E006/DS01.

A message holds one or more reports, each of one appliance: the node is ``ems-<ASER>``, or ``rtm-<AMID>`` where the
transmission says ``rtm``. A report that names no appliance goes by the name ``ems``, which nobody registers, so that it
is kept for inspection and its neighbours pass. Channels are the fields: ``TVC``, ``TAMB``, ``DORV`` ... in the units
of ``_MEANINGS``; ``HOLD``, ``BLOG``, ``BEMD`` are days. ``ALRM/HEAT`` and so on are 1 while the code is set,
``LERR`` and ``EERR`` while there is any. Unknown and ``z...`` fields are channels too where they are numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Any

from collector.foreign.adapter import Adapter
from collector.foreign.ems_time import Timekeeper
from collector.foreign.naming import node_name
from collector.foreign.values import PLAIN, Meaning, Moment, number, read_object, sample, without_value
from domain.reading import Batch, Quality, Sample
from domain.rejection import PayloadError, Reason

_CELSIUS, _VOLTS, _AMPERES, _SECONDS = Meaning("Cel"), Meaning("V"), Meaning("A"), Meaning("s")
_DAYS, _MINUTES = Meaning("s", 86_400.0), Meaning("s", 60.0)
_MEANINGS = {
    **dict.fromkeys(("TVC", "TAMB", "TFRZ", "TCON", "TCON2", "TPCB", "TPCB2"), _CELSIUS),
    **dict.fromkeys(("ACSV", "DCSV"), _VOLTS),
    **dict.fromkeys(("ACCD", "DCCD"), _AMPERES),
    **dict.fromkeys(("DORV", "DORF", "IDRV", "IDRF", "SVA", "CMPR", "CMPR2"), _SECONDS),
    **dict.fromkeys(("HOLD", "BLOG", "BEMD"), _DAYS),
    **dict.fromkeys(("HAMB", "HCOM"), Meaning("%RH")),
    "FANS": Meaning("%"),
}
_COMPRESSOR = ("CMPR", "CMPR2")
_LAST_VERSION_IN_MINUTES = (0, 7, 2)
_MINUTES_IN_A_PERIOD = 15.0
_ALARMS = ("HEAT", "FRZE", "DOOR", "POWR")
_ERRORS = ("LERR", "EERR")
_NOT_READINGS = frozenset({"ABST", "RELT", "ALRM", *_ERRORS})
_SOLAR, _MAINS = frozenset({"DCSV", "DCCD"}), "SVA"
_NAMELESS = "ems"


def read(topic: str, payload: bytes, received_at_ms: int, *, zone: tzinfo | None) -> list[Batch]:
    """See ``adapter.Read``."""
    found = read_object(payload)
    meta = found.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    if isinstance(found.get("records"), list):
        reports: list[Any] = [found]
    elif isinstance(found.get("data"), list):
        reports = found["data"]
    else:
        raise PayloadError(Reason.MALFORMED, "found neither data nor records; allowed: CCE interop or E006/DS01")
    return [_report(report, meta, received_at_ms) for report in reports]


def _report(report: object, meta: Mapping[str, Any], received_at_ms: int) -> Batch:
    records = report.get("records") if isinstance(report, dict) else None
    if not isinstance(report, dict) or not isinstance(records, list):
        return Batch(_NAMELESS, None, None, ())
    usable = [record for record in records if isinstance(record, dict)]
    compressor = _MINUTES if _counts_minutes(meta.get("schemaVersion"), usable) else _SECONDS
    timekeeper = Timekeeper(report, received_at_ms)
    samples = [each for record in usable for each in _record(record, timekeeper.moment(record), compressor)]
    return Batch(_node(report, is_rtm=meta.get("transferType") == "rtm"), None, None, tuple(samples))


def _node(report: Mapping[str, Any], *, is_rtm: bool) -> str:
    prefix, identity = ("rtm", report.get("AMID")) if is_rtm else ("ems", report.get("ASER"))
    return node_name(prefix, identity) if isinstance(identity, str) and identity else _NAMELESS


def _counts_minutes(version: object, records: list[dict[str, Any]]) -> bool:
    """Tell whether the compressor's time is in minutes: by the version, unless a value says that it cannot be."""
    longest = max((number(record.get(field)) or 0.0 for record in records for field in _COMPRESSOR), default=0.0)
    if longest > _MINUTES_IN_A_PERIOD:
        return False
    try:
        return tuple(int(part) for part in str(version).split(".")) <= _LAST_VERSION_IN_MINUTES
    except ValueError:
        return True  # E006/DS01 has no version and counts minutes


def _record(record: Mapping[str, Any], moment: Moment, compressor: Meaning) -> Iterator[Sample]:
    contradicts = record.get(_MAINS) is not None and any(record.get(field) is not None for field in _SOLAR)
    for field, value in record.items():
        if field in _NOT_READINGS or isinstance(value, str | list | dict):
            continue
        meaning = compressor if field in _COMPRESSOR else _MEANINGS.get(field, PLAIN)
        if field == "TVC" and value is None:
            gone = isinstance(record.get("LERR"), str) and record["LERR"].strip()
            yield without_value(field, moment, Quality.SENSOR_GONE if gone else Quality.BAD_VALUE, meaning.unit)
        elif value is None:
            if field == "TAMB":
                yield without_value(field, moment, Quality.SENSOR_GONE, meaning.unit)
        elif contradicts and (field == _MAINS or field in _SOLAR):
            yield sample(field, moment._replace(quality=Quality.UNCERTAIN), value, meaning)
        else:
            yield sample(field, moment, value, meaning)
    yield from _codes(record, moment)


def _codes(record: Mapping[str, Any], moment: Moment) -> Iterator[Sample]:
    if "ALRM" in record:
        said = record["ALRM"]
        set_now = said.split() if isinstance(said, str) else []
        for code in dict.fromkeys((*_ALARMS, *set_now)):
            yield sample(f"ALRM/{code}", moment, code in set_now)
    for field in _ERRORS:
        if field in record:
            yield sample(field, moment, isinstance(record[field], str) and bool(record[field].strip()))


ADAPTER = Adapter("ems", ("cce-interop/#",), read)
