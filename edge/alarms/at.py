"""Sending one SMS to a GSM modem, as a conversation: bytes in, bytes out, and an outcome. No port, no clock.

AT commands after 3GPP TS 27.005 (text mode) and 27.007 (``+CMEE``).
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import Final, NamedTuple

from domain.gsm7 import ONE_PART_SEPTETS, shorten, transliterate

MOST_BUFFERED_BYTES: Final = 4_096
_CTRL_Z: Final = b"\x1a"
_ESCAPE: Final = b"\x1b"
_PROMPT: Final = b"> "
_FINAL = re.compile(r"OK|ERROR|\+CM[ES] ERROR: .*")
_ERROR_CODE = re.compile(r"\+(CM[ES]) ERROR: *(\d+)")
_REFERENCE = re.compile(r"\+CMGS: *(\d+)")
NUMBER = r"\+?[0-9]{3,15}"
# Characters whose number in the GSM alphabet is that of ASCII: the others a modem in text mode takes for commands
# (@ is 0, _ is 17), or for the end (27).
_SAME_IN_BOTH = frozenset(" !\"#%&'()*+,-./0123456789:;<=>?") | frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)
_INSTEAD = {"@": "(at)", "_": "-", "$": "USD", "[": "(", "]": ")", "{": "(", "}": ")", "|": "/", "~": "-", "\\": "/"}


class Trouble(StrEnum):
    """Why a message was not sent."""

    NO_ANSWER = "no_answer"
    """The modem is off, or it is not a modem."""
    NO_SIM = "no_sim"
    NEEDS_PIN = "needs_pin"
    NO_NETWORK = "no_network"
    REFUSED = "refused"
    """Anything else; the detail says what the modem said."""


_TROUBLES = {
    "CME": {10: Trouble.NO_SIM, 13: Trouble.NO_SIM, 15: Trouble.NO_SIM, 11: Trouble.NEEDS_PIN, 12: Trouble.NEEDS_PIN,
            30: Trouble.NO_NETWORK, 31: Trouble.NO_NETWORK, 32: Trouble.NO_NETWORK},
    "CMS": {310: Trouble.NO_SIM, 313: Trouble.NO_SIM, 315: Trouble.NO_SIM, 311: Trouble.NEEDS_PIN,
            312: Trouble.NEEDS_PIN, 331: Trouble.NO_NETWORK, 332: Trouble.NO_NETWORK},
}  # fmt: skip


class Sent(NamedTuple):
    """What became of a message."""

    trouble: Trouble | None
    """None where the network took it."""
    detail: str
    """The message's reference, or what the modem said."""


class SmsDialogue:
    """One message on its way: write what ``start`` and ``receive`` return, until there is an ``outcome``."""

    def __init__(self, number: str, text: str) -> None:
        """Raise ``ValueError`` for a number that would be more than a number to a modem."""
        if not re.fullmatch(NUMBER, number):
            raise ValueError(f"found number {number!r}; allowed: digits, with + before the country")
        self.outcome: Sent | None = None
        self._steps = [b"ATE0\r", b"AT+CMEE=1\r", b"AT+CMGF=1\r", b'AT+CSCS="GSM"\r', f'AT+CMGS="{number}"\r'.encode()]
        self._text = modem_text(text).encode("ascii")
        self._buffer = b""
        self._reference = ""
        self._asked = False
        """Whether the modem has to prompt for the text, or to confirm it."""
        self._is_optional = False
        """Whether an old modem that does not know what was said last may send all the same."""

    def start(self) -> bytes:
        """Return the first bytes: an escape ends what an earlier conversation may have left open."""
        return _ESCAPE + b"AT\r"

    def receive(self, data: bytes) -> bytes:
        """Take what the modem says; return what to answer, which may be nothing."""
        self._buffer = (self._buffer + data)[-MOST_BUFFERED_BYTES:]
        answer = b""
        while self.outcome is None and (line := self._next_line()) is not None:
            answer += self._take(line)
        if self.outcome is None and self._asked and self._buffer.endswith(_PROMPT):
            self._buffer = b""
            answer += self._text + _CTRL_Z
        return answer

    def give_up(self) -> bytes:
        """Return what ends the conversation when no more comes, and set the outcome."""
        self.outcome = self.outcome or Sent(Trouble.NO_ANSWER, "the modem says nothing")
        return _ESCAPE

    def _next_line(self) -> str | None:
        line, end, rest = self._buffer.partition(b"\n")
        if not end:
            return None
        self._buffer = rest
        return line.strip().decode("ascii", "replace")

    def _take(self, line: str) -> bytes:
        if match := _REFERENCE.fullmatch(line):
            self._reference = match[1]
        if not _FINAL.fullmatch(line):
            return b""  # an echo, news of the network
        if line != "OK":
            if line == "ERROR" and self._is_optional:
                return self._next_step()
            self.outcome = Sent(_trouble_of(line), line)
            return _ESCAPE if self._asked else b""
        if self._asked:
            self.outcome = Sent(None, self._reference)
            return b""
        return self._next_step()

    def _next_step(self) -> bytes:
        step = self._steps.pop(0)
        self._is_optional = step.startswith((b"AT+CMEE", b"AT+CSCS"))
        self._asked = not self._steps
        return step


def modem_text(text: str) -> str:
    """Return the text in the characters that every modem takes in text mode, one part long at most."""
    plain = transliterate(text)
    spelt = "".join(_INSTEAD.get(each, each if each in _SAME_IN_BOTH else "?") for each in _ascii(plain))
    return shorten(spelt, ONE_PART_SEPTETS)


def _ascii(text: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))


def _trouble_of(line: str) -> Trouble:
    match = _ERROR_CODE.match(line)
    return _TROUBLES[match[1]].get(int(match[2]), Trouble.REFUSED) if match else Trouble.REFUSED
