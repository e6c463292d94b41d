"""What people who answered are told: one SMS part where the script allows it, in their language. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.answers.lexicon import CODES
from alerts.answers.meant import Meant
from alerts.answers.outcome import Outcome, Result
from alerts.answers.parts import Scene, fitted
from alerts.words.language import say
from domain.alert import Alert

_REFERENCES_SHOWN = 4
_EXAMPLE = 4821
_STATUS_LINES = 3


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a reply, and how much room there is."""

    language: str
    is_sms: bool


def acted(reader: Reader, scene: Scene, outcomes: Sequence[Outcome], meant: Meant) -> str:
    """Return what came of an answer, and what else is open."""
    groups: dict[tuple[Result, str], list[Outcome]] = {}
    for outcome in outcomes:
        who = outcome.alert.acknowledged_by if outcome.result is Result.SOMEBODY_HAS_IT else ""
        groups.setdefault((outcome.result, who), []).append(outcome)
    sentences = [_result(reader.language, scene, members) for members in groups.values()]
    if meant.unknown:
        sentences.append(say(reader.language, "No alarm has ref {refs}.", refs=_list(meant.unknown)))
    if meant.foreign:
        sentences.append(
            say(reader.language, "Ref {refs}: not yours, you were not told of it.", refs=_list(meant.foreign))
        )
    if not sentences:
        sentences.append(say(reader.language, "Nothing is open for you. To see: status"))
    if meant.others:
        refs = _list(alert.id for alert in meant.others)
        sentences.append(say(reader.language, "{count} more open: ref {refs}.", count=len(meant.others), refs=refs))
    return fitted(sentences, reader.is_sms)


def unclear(reader: Reader, example: int | None) -> str:
    """Return that a text was not understood, and how to answer."""
    return fitted(
        [say(reader.language, "Not understood, nothing was changed."), *_how_to(reader.language, example)],
        reader.is_sms,
    )


def how(reader: Reader, example: int | None) -> str:
    """Return how to answer."""
    return fitted([*_how_to(reader.language, example), say(reader.language, "What is open: status")], reader.is_sms)


def stop(reader: Reader, ask: str) -> str:
    """Return whom to ask where somebody wants no more alarms."""
    said = (
        say(reader.language, "Alarms cannot be stopped by message, nothing was changed. Please ask {who}.", who=ask)
        if ask
        else say(
            reader.language,
            "Alarms cannot be stopped by message, nothing was changed. Please ask your district office.",
        )
    )
    return fitted([said], reader.is_sms)


def stranger(reader: Reader) -> str:
    """Return what somebody is told whom nobody registered."""
    said = say(
        reader.language,
        "This number sends alarms of health facilities. Yours is not registered here, nothing was changed.",
    )
    return fitted([said], reader.is_sms)


def status(reader: Reader, scene: Scene, alerts: Iterable[Alert]) -> str:
    """Return the open alerts of a person, the worst first and among equals the oldest."""
    worst_first = sorted(alerts, key=lambda alert: (-alert.severity, alert.started_at, alert.id))
    if not worst_first:
        return fitted([say(reader.language, "Nothing is open for you.")], reader.is_sms)
    lines = [say(reader.language, "Open: {count}", count=len(worst_first))]
    for alert in worst_first[:_STATUS_LINES]:
        power = scene.power_of(alert.facility)
        words = "" if power is None else _power(reader.language, power.on)
        taken = f"({alert.acknowledged_by})" if alert.acknowledged_by else ""
        line = f"{alert.id} {scene.what(alert, brief=True)}, {scene.lasted(alert)} {taken} {words}"
        lines.append(" ".join(line.split()))
    return fitted(lines, reader.is_sms, separator="\n")


def _power(language: str, on: bool) -> str:
    return say(language, "Power ON") if on else say(language, "Power OFF")


def _how_to(language: str, example: int | None) -> list[str]:
    number = _EXAMPLE if example is None else example
    # A number that is also a code has to be called a reference; see the rule of ``alerts.answers.parse``.
    written = f"ref {number}" if number in CODES else f"{number}"
    return [
        say(
            language,
            "Reply 1=I go 2=need help 9=done and the number of the alarm, for example: 1 {number}",
            number=written,
        )
    ]


def _result(language: str, scene: Scene, members: Sequence[Outcome]) -> str:
    first = members[0].alert
    more = f" +{len(members) - 1}" if len(members) > 1 else ""
    what = scene.what(first) + more
    refs = _list(outcome.alert.id for outcome in members)
    return _SENTENCES[members[0].result](language, scene, members[0], what, refs)


def _help(language: str, _scene: Scene, outcome: Outcome, what: str, refs: str) -> str:
    if not outcome.people:
        return say(language, "Help is called: {what}. ref {refs}.", what=what, refs=refs)
    people = ", ".join(outcome.people[:3]) + (f" +{len(outcome.people) - 3}" if len(outcome.people) > 3 else "")
    return say(language, "Help is called, {people} told now: {what}. ref {refs}.", people=people, what=what, refs=refs)


def _somebody(language: str, scene: Scene, outcome: Outcome, what: str, refs: str) -> str:
    who, alert = outcome.alert.acknowledged_by, outcome.alert
    if alert.acknowledged_at is None:
        return say(language, "{who} has it: {what}. ref {refs}.", who=who, what=what, refs=refs)
    since = scene.local(alert.acknowledged_at, alert.facility)
    return say(language, "{who} has it since {time}: {what}. ref {refs}.", who=who, time=since, what=what, refs=refs)


def _over(language: str, scene: Scene, outcome: Outcome, what: str, refs: str) -> str:
    ended: datetime | None = outcome.alert.ended_at
    if ended is None:
        return say(language, "It needs nobody any more: {what}. ref {refs}.", what=what, refs=refs)
    time = scene.local(ended, outcome.alert.facility)
    return say(language, "It was over at {time}: {what}. ref {refs}.", time=time, what=what, refs=refs)


_Sentence = Callable[[str, Scene, Outcome, str, str], str]
_SENTENCES: dict[Result, _Sentence] = {
    Result.TAKEN: lambda language, _scene, _outcome, what, refs: say(
        language, "Noted, you go: {what}. ref {refs}.", what=what, refs=refs
    ),
    Result.YOURS_ALREADY: lambda language, _scene, _outcome, what, refs: say(
        language, "You have it already: {what}. ref {refs}.", what=what, refs=refs
    ),
    Result.SOMEBODY_HAS_IT: _somebody,
    Result.OVER: _over,
    Result.HELP_CALLED: _help,
    Result.NO_MORE_HELP: lambda language, _scene, _outcome, what, refs: say(
        language, "Nobody else can be asked now: {what}. ref {refs}.", what=what, refs=refs
    ),
    Result.CLOSED: lambda language, _scene, _outcome, what, refs: say(
        language, "Now closed, thank you: {what}. ref {refs}.", what=what, refs=refs
    ),
    Result.CLOSED_BEFORE: lambda language, _scene, _outcome, what, refs: say(
        language, "It was closed before: {what}. ref {refs}.", what=what, refs=refs
    ),
    Result.GOES_ON: lambda language, _scene, _outcome, what, refs: say(
        language, "It still goes on: {what}. You will hear when it is over. ref {refs}.", what=what, refs=refs
    ),
}


def _list(references: Iterable[int]) -> str:
    numbers = list(references)
    more = f" +{len(numbers) - _REFERENCES_SHOWN}" if len(numbers) > _REFERENCES_SHOWN else ""
    return ", ".join(map(str, numbers[:_REFERENCES_SHOWN])) + more
