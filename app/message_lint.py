"""``vitals alerts lint``: what every rule would say, in every language, with the longest realistic names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from alerts.bundle import Bundle, Shape
from alerts.facts import Facts, Power, RuleText
from alerts.notification import NotificationKind
from alerts.words.alphabet import alphabet_of, parts_of
from alerts.words.language import SOURCE
from alerts.words.phrases import CALLS
from alerts.words.short import write_short

PLACE = "Kasese Municipal Health Centre IV"
EQUIPMENT = "Vaccine fridge 12"
_KINDS = (NotificationKind.ALARM, NotificationKind.WORSE, NotificationKind.ALL_CLEAR, NotificationKind.PAST)
_KNOWN = re.compile(r"\$(?:limits\.\w+|value)")
_NOW = datetime(2026, 9, 30, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """One message and what is to be said about it."""

    rule: str
    language: str
    kind: str
    text: str
    encoding: str
    size: int
    parts: int
    errors: tuple[str, ...]
    warnings: tuple[str, ...]


def lint(texts: Mapping[str, RuleText], languages: Sequence[str]) -> Iterator[Line]:
    """Yield a line for every rule, language and kind."""
    for rule, text in texts.items():
        for language in languages:
            for kind in _KINDS:
                yield _line(rule, text, language, kind)


def report(lines: Sequence[Line], *, as_json: bool, say: Callable[[str], None]) -> bool:
    """Say what was found, and tell whether there is no error."""
    if as_json:
        say(json.dumps([asdict(line) for line in lines], ensure_ascii=False, indent=1))
    else:
        for line in (each for each in lines if each.errors or each.warnings):
            say(f"{line.rule} {line.kind} {line.language}: {line.size} {line.encoding}, {line.parts} part(s)")
            for level, found in (("error", line.errors), ("warning", line.warnings)):
                for sentence in found:
                    say(f"  {level}: {sentence}")
            say(f"  {line.text}")
        errors, warnings = (sum(map(len, each)) for each in ([x.errors for x in lines], [x.warnings for x in lines]))
        say(f"{len(lines)} messages, {errors} errors, {warnings} warnings")
    return not any(line.errors for line in lines)


def _line(rule: str, text: RuleText, language: str, kind: NotificationKind) -> Line:
    spoken, alphabet = text.spoken(language), alphabet_of(language)
    fitted = write_short(Bundle(Shape.INCIDENT, (_facts(spoken, kind),)), language=language, answerable=True)
    parts = parts_of(fitted.text)
    errors = [f"unknown placeholder {each}" for each in _unknown(spoken)]
    errors += [f"{parts} parts, {len(alphabet.limits)} are allowed"] if parts > len(alphabet.limits) else []
    errors += ["no reference"] if not fitted.text.endswith("ref 48213") else []
    errors += ["no place"] if PLACE[:12] not in fitted.text else []
    warnings = [f"no room for {each}" for each in fitted.dropped] + [f"{each} is cut" for each in fitted.cut]
    warnings += ["says nothing to do"] if kind in CALLS and not spoken.action else []
    warnings += ["not translated"] if language != SOURCE and spoken is text else []
    return Line(
        rule, language, kind.value, fitted.text, alphabet.name, alphabet.size(fitted.text), parts,
        tuple(errors), tuple(warnings),
    )  # fmt: skip


def _unknown(text: RuleText) -> list[str]:
    left = " ".join(_KNOWN.sub("", each) for each in (text.title, text.message, text.action))
    return re.findall(r"\$\S+", left)


def _facts(text: RuleText, kind: NotificationKind) -> Facts:
    over = None if kind in CALLS else _NOW
    return Facts(
        reference=48213, kind=kind, title=text.title, message=_KNOWN.sub("-18.5 °C", text.message),
        action=text.action, severity="critical", facility="kasese", facility_name=PLACE, region="Kasese",
        timezone="Africa/Kampala", equipment="fridge-12", equipment_name=EQUIPMENT, value="-12.5 °C",
        started_at=_NOW - timedelta(hours=11, minutes=50), now=_NOW, ended_at=over,
        power=Power(on=False, since=_NOW - timedelta(hours=11, minutes=55)),
    )  # fmt: skip
