"""What texts and receipts that come over SMPP say. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from alerts.notification import NotificationState
from alerts.notifiers import gsm7_bytes
from alerts.notifiers.smpp_pdu import UCS2, Address, Delivered, Tag
from alerts.notifiers.sms_parts import placed

INTERNATIONAL, ALPHANUMERIC, ISDN = 1, 5, 1
_CODECS = {1: "ascii", 3: "latin-1", UCS2: "utf-16-be"}
_FIELD = re.compile(r"\b(id|stat|err):(\S*)", re.IGNORECASE)
# Section 5.2.28 and appendix B; what is absent here is not final.
_STATES = {
    **dict.fromkeys((2, 6, "DELIVRD", "ACCEPTD"), NotificationState.DELIVERED),
    **dict.fromkeys((3, 4, 5, 8, "EXPIRED", "DELETED", "UNDELIV", "REJECTD"), NotificationState.FAILED),
    **dict.fromkeys((7, "UNKNOWN"), NotificationState.UNKNOWN),
}


class Receipt(NamedTuple):
    """What became of a message."""

    message_id: str
    state: NotificationState | None
    """None: not decided yet."""
    sentence: str


def receipt_of(found: Delivered) -> Receipt:
    """Return what a receipt says: in its parameters, else in its text, of which operators have varieties."""
    text = found.message.decode("latin-1")
    fields = {name.lower(): value for name, value in _FIELD.findall(text)}
    named = found.options.get(Tag.RECEIPTED_MESSAGE_ID, b"").split(b"\0")[0].decode("latin-1")
    code = found.options.get(Tag.MESSAGE_STATE, b"")
    word = fields.get("stat", "").upper()[:7]
    state = _STATES.get(code[0]) if code else _STATES.get(word)
    sentence = f"the operator says {word or (code[0] if code else 'nothing')}"
    if fields.get("err", "").strip("0"):
        sentence += f" ({fields['err']})"
    return Receipt(named or fields.get("id", ""), state, sentence if state is NotificationState.FAILED else "")


def text_of(found: Delivered) -> str | None:
    """Return the text that somebody wrote; None for binary data."""
    if found.coding in {2, 4}:
        return None
    codec = _CODECS.get(found.coding)
    return found.message.decode(codec, "replace") if codec else gsm7_bytes.from_bytes(found.message)


def sender_of(address: Address) -> str:
    """Return the number as people's numbers are written."""
    number = address.number.removeprefix("+")
    return f"+{number}" if address.ton == INTERNATIONAL or address.number.startswith("+") else number


def address_for(number: str) -> Address:
    """Return whom to send to, or as whom: a number, international with ``+``, or a name."""
    if number.startswith("+"):
        return Address(INTERNATIONAL, ISDN, number[1:])
    return Address(0, ISDN, number) if number.isdigit() else Address(ALPHANUMERIC, 0, number)


class LongTexts:
    """Puts the parts of long texts together, in memory: a part that was answered does not come again."""

    def __init__(self, within_seconds: float) -> None:
        self._within_seconds = within_seconds
        self._parts: dict[str, tuple[float, str, dict[int, str]]] = {}

    def add(self, sender: str, header: bytes, text: str, now: float) -> str | None:
        """Return the whole text, once it is there."""
        place = placed(header.hex())
        if place is None:
            return text
        _, _, parts = self._parts.setdefault(f"{sender} {place.group}", (now, sender, {}))
        parts[place.position] = text
        if len(parts) < place.total:
            return None
        del self._parts[f"{sender} {place.group}"]
        return _in_order(parts)

    def overdue(self, now: float) -> list[tuple[str, str]]:
        """Return sender and text of what has waited too long for the rest, and forget it."""
        late = [group for group, (since, _, _) in self._parts.items() if now - since >= self._within_seconds]
        return [(sender, _in_order(parts)) for _, sender, parts in map(self._parts.pop, late)]


def _in_order(parts: dict[int, str]) -> str:
    return "".join(parts[position] for position in sorted(parts))
