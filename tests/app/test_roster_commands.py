"""``vitals roster``: who is on call, who is told, and rosters as calendars."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from tests.registry.test_registry_people import KASESE


def vitals(config: Path, *arguments: str) -> Result:
    """Run a command."""
    return CliRunner().invoke(main, [*arguments, "--config", str(config)])


def said(config: Path, *arguments: str) -> str:
    """Return what a command that succeeds says."""
    result = vitals(config, *arguments)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return the configuration of a service whose registry knows the people of Kasese."""
    (tmp_path / "registry.yaml").write_text(KASESE, encoding="utf-8")
    path = tmp_path / "vitals.yaml"
    path.write_text("data: data\n", encoding="utf-8")
    said(path, "registry", "import", str(tmp_path / "registry.yaml"))
    return path


def test_show_says_who_is_on_call_and_when_the_next_handover_is(config: Path) -> None:
    """By the clock of the roster's zone; an override with its reason."""
    assert said(config, "roster", "show", "--at", "2026-11-03T12:00:00Z").splitlines() == [
        "duty (Duty) at Tue 2026-11-03 15:00 Africa/Kampala",
        "  amina (Amina K.): +256700000001, telegram 1234; by sms, then voice; quiet 21:00-06:00 Africa/Kampala"
        " below warning",
        "  from Fri 2026-11-06 18:00 Africa/Kampala: amina, joseph",
    ]
    assert "until Sun 2026-12-27 12:00 Africa/Kampala: leave" in said(
        config, "roster", "show", "duty", "--at", "2026-12-25T00:00:00Z"
    )


def test_who_shows_the_chain_with_the_people_of_each_step(config: Path) -> None:
    """The registered chain where it reaches the severity, the usual one else; steps of nobody are left out."""
    lines = said(config, "roster", "who", "kasese-hc3", "--at", "2026-11-10T12:00:00Z").splitlines()
    assert lines[:2] == [
        "critical alerts at kasese-hc3 (Kasese HC3), Tue 2026-11-10 15:00 Africa/Kampala",
        "chain: kasese",
    ]
    assert lines[2] == "at once: roster:duty, facility"
    assert "  joseph (Joseph): no address" in lines
    assert "after 15min: team:cold, by sms" in lines
    assert lines[-1] == "then every 30min, 3 times: the last step again"
    usual = said(config, "roster", "who", "kasese-hc3", "--severity", "info").splitlines()
    assert usual[1] == "chain: the usual one, for no registered one is for this"
    assert [line for line in usual if not line.startswith(" ")][2:] == [
        "at once: facility",
        "after 15min: district",
        "left out: region",
        "left out: country",
    ]


def test_no_token_in_an_address_is_shown(config: Path, tmp_path: Path) -> None:
    """Of an address that is a URL only its kind stands on the terminal."""
    text = KASESE.replace('{telegram: "1234"}', '{telegram: "1234", apprise: "slack://hush/hush/hush"}')
    (tmp_path / "registry.yaml").write_text(text, encoding="utf-8")
    said(config, "registry", "import", str(tmp_path / "registry.yaml"))
    shown = said(config, "roster", "show", "--at", "2026-11-03T12:00:00Z")
    assert "telegram 1234, apprise slack://...;" in shown
    assert "hush" not in shown


def test_a_calendar_goes_out_and_comes_back(config: Path, tmp_path: Path) -> None:
    """What another program moved is moved here; importing again changes nothing."""
    rotation = """\
rosters:
  - id: weeks
    name: Weeks
    timezone: Africa/Kampala
    rotations: [{members: [amina, joseph], first_day: 2026-11-02T08:00}]
"""
    (tmp_path / "weeks.yaml").write_text(rotation, encoding="utf-8")
    said(config, "registry", "import", str(tmp_path / "weeks.yaml"))
    file = tmp_path / "weeks.ics"
    span = ("--from", "2026-11-02T05:00:00Z", "--days", "14")
    said(config, "roster", "export", "weeks", "--out", str(file), *span)
    text = file.read_bytes().decode()
    assert (text.count("BEGIN:VEVENT"), text.count("SUMMARY:Joseph")) == (2, 1)
    file.write_bytes(text.replace("SUMMARY:Joseph", "SUMMARY:amina").encode())
    assert said(config, "roster", "import", "weeks", str(file), *span) == (
        "weeks: 2 events, 2 overrides added, 0 forgotten\n"
    )
    again = said(config, "roster", "import", "weeks", str(file), *span)
    assert again == "weeks: 2 events, 0 overrides added, 0 forgotten\n"
    assert "  amina (" in said(config, "roster", "show", "weeks", "--at", "2026-11-10T12:00:00Z")
    file.write_bytes(text.encode())
    assert said(config, "roster", "import", "weeks", str(file), *span) == (
        "weeks: 2 events, 1 overrides added, 1 forgotten\n"
    )
    assert "  joseph (" in said(config, "roster", "show", "weeks", "--at", "2026-11-10T12:00:00Z")


def test_added_overrides_leave_the_others(config: Path, tmp_path: Path) -> None:
    """With ``--add`` nothing is forgotten, and the file's come last."""
    head, tail = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n", "END:VCALENDAR\n"
    day = "BEGIN:VEVENT\nUID:1\nDTSTAMP:20261201T000000Z\nSUMMARY:amina\nDTSTART;VALUE=DATE:20261225\nEND:VEVENT\n"
    file = tmp_path / "swap.ics"
    file.write_text(head + day + tail, encoding="utf-8")
    outcome = said(config, "roster", "import", "duty", str(file), "--add", "--from", "2026-12-01T00:00:00Z")
    assert outcome == "duty: 1 events, 1 overrides added, 0 forgotten\n"
    assert "  amina (" in said(config, "roster", "show", "duty", "--at", "2026-12-25T12:00:00Z")
    assert "  joseph (" in said(config, "roster", "show", "duty", "--at", "2026-12-26T12:00:00Z")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("show", "dutty"), 2, "found roster 'dutty'; allowed: one of duty (did you mean duty?)"),
        (("who", "kasese"), 2, "found facility 'kasese'; allowed: one of kasese-hc3"),
        (("show", "--at", "noon"), 2, "allowed: a time such as"),
        (("import", "duty", "nowhere.ics"), 2, "nowhere.ics: cannot be read: No such file"),
    ],
)
def test_mistakes_are_answered_with_what_is_allowed(
    config: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    """One clear sentence."""
    result = vitals(config, "roster", *arguments)
    assert result.exit_code == code
    assert words in result.output


def test_a_person_whom_nobody_knows_is_named_with_the_event(config: Path, tmp_path: Path) -> None:
    """File, line and event."""
    file = tmp_path / "a.ics"
    file.write_text(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\nSUMMARY:Josef\n"
        "DTSTART;VALUE=DATE:20261225\nEND:VEVENT\nEND:VCALENDAR\n",
        encoding="utf-8",
    )
    result = vitals(config, "roster", "import", "duty", str(file), "--from", "2026-12-01T00:00:00Z")
    assert result.exit_code == 2
    assert "a.ics:4:1: event 'Josef' of 2026-12-25: found 'Josef'; allowed: the id, name or e-mail" in result.output


def test_the_check_names_ways_that_nothing_carries_and_rosters_of_nobody(config: Path, tmp_path: Path) -> None:
    """What people prefer may be switched off here; that is worth a look and no mistake."""
    past = """\
rosters:
  - {id: past, name: Past, timezone: UTC, overrides: [{contact: amina, from: 2020-01-01, to: 2020-01-02}]}
"""
    (tmp_path / "past.yaml").write_text(past, encoding="utf-8")
    said(config, "registry", "import", str(tmp_path / "past.yaml"))
    found = said(config, "check")
    assert "contact amina: nothing that is switched on carries 'voice'; on: one of console" in found
    assert "escalation kasese: nothing that is switched on carries 'sms'" in found
    assert "roster past: nobody is on call, and nobody will be" in found
    assert "roster duty" not in found
