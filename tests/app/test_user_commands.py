"""``vitals user`` and ``vitals token``: who gets in, made on the service's own machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from tests.registry.test_registry_people import KASESE

PASSWORD = "seven green kettles"


def vitals(config: Path, *arguments: str, password: str = PASSWORD) -> Result:
    """Run a command that may read a password from its input."""
    return CliRunner().invoke(main, [*arguments, "--config", str(config)], input=f"{password}\n")


def said(config: Path, *arguments: str) -> str:
    """Return what a command that succeeds says."""
    result = vitals(config, *arguments)
    assert result.exit_code == 0, result.output
    return result.output


def refused(config: Path, *arguments: str, password: str = PASSWORD) -> str:
    """Return why a command is refused."""
    result = vitals(config, *arguments, password=password)
    assert result.exit_code == 2, result.output
    return result.output


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return the configuration of a service that was never started and will know the places of Kasese."""
    (tmp_path / "registry.yaml").write_text(KASESE, encoding="utf-8")
    path = tmp_path / "vitals.yaml"
    path.write_text("data: data\nregistry: registry.yaml\n", encoding="utf-8")
    return path


def test_the_first_user_is_made_before_the_first_start(config: Path) -> None:
    """With a name in small letters, a role and a place; the password is shown nowhere."""
    assert "nobody can sign in yet" in said(config, "user", "list")
    made = said(config, "user", "add", "Amina", "--role", "administrator", "--password-file", "-")
    assert made == "amina can sign in: administrator everywhere\n"
    assert said(config, "user", "list") == "amina (Amina)  administrator everywhere\n"
    assert PASSWORD.encode() not in b"".join(path.read_bytes() for path in (config.parent / "data").iterdir())


def test_a_place_that_is_not_registered_is_refused_with_the_one_that_was_meant(config: Path) -> None:
    """A typing mistake would otherwise be a user who sees nothing."""
    new = ("user", "add", "joseph", "--role", "technician", "--password-file", "-")
    assert "did you mean Kasese?" in refused(config, *new, "--district", "Kasesi")
    assert "for district Kasese" in said(config, *new, "--district", "Kasese")
    assert "no such facility" in refused(config, "user", "grant", "joseph", "--role", "viewer", "--facility", "x")
    assert "no such region" in refused(config, "token", "add", "x", "--role", "viewer", "--region", "y")


@pytest.mark.parametrize(
    ("password", "sentence"),
    [("short", "at least 10 characters"), ("password1234", "first that are guessed"), ("joseph-2026", "guessed")],
)
def test_a_weak_password_is_refused(config: Path, password: str, sentence: str) -> None:
    """At making a user as at giving another password; nothing is kept."""
    new = ("user", "add", "joseph", "--role", "viewer", "--password-file", "-")
    assert sentence in refused(config, *new, password=password)
    said(config, *new)
    assert sentence in refused(config, "user", "password", "joseph", "--password-file", "-", password=password)


def test_without_a_terminal_the_password_comes_from_a_file(config: Path) -> None:
    """Nobody waits for an answer that cannot come."""
    assert "--password-file" in refused(config, "user", "add", "joseph", "--role", "viewer")


def test_roles_are_given_and_taken_by_place(config: Path) -> None:
    """A role takes the place of another one there; what was not given is not taken."""
    said(config, "user", "add", "joseph", "--role", "viewer", "--password-file", "-")
    given = said(config, "user", "grant", "joseph", "--role", "technician", "--district", "Kasese")
    assert given == "joseph: technician for district Kasese; viewer everywhere\n"
    assert "joseph: manager everywhere; tech" in said(config, "user", "grant", "joseph", "--role", "manager")
    assert "manager" not in said(config, "user", "revoke", "joseph")
    assert "given are: district Kasese" in refused(config, "user", "revoke", "joseph")
    assert said(config, "user", "revoke", "joseph", "--district", "Kasese") == "joseph: may do nothing\n"


def test_somebody_is_shut_out_and_let_in_again(config: Path) -> None:
    """The list says so."""
    said(config, "user", "add", "joseph", "--role", "viewer", "--full-name", "Joseph K.", "--password-file", "-")
    said(config, "user", "disable", "joseph")
    assert said(config, "user", "list") == "joseph (Joseph K.)  viewer everywhere  disabled\n"
    said(config, "user", "enable", "Joseph")
    assert "disabled" not in said(config, "user", "list")
    assert said(config, "user", "sign-out", "joseph") == "joseph is signed out; sessions ended: 0\n"


def test_a_wrong_name_is_answered_with_the_right_one(config: Path) -> None:
    """And one that is taken, or could be none, with a sentence."""
    new = ("user", "add", "joseph", "--role", "viewer", "--password-file", "-")
    said(config, *new)
    assert "did you mean joseph?" in refused(config, "user", "disable", "josef")
    assert "there is a user 'joseph' already" in refused(config, *new)
    assert "allowed: small letters" in refused(config, "user", "sign-out", "Jo seph")


def test_a_token_is_shown_once_and_revoked_by_number(config: Path) -> None:
    """The list shows what it allows and until when, and not the token."""
    made = said(config, "token", "add", "Prometheus", "--role", "viewer", "--expires", "90d")
    token = made.splitlines()[-1]
    assert token.startswith("vt_")
    assert len(token) > 40
    listed = said(config, "token", "list")
    assert listed.startswith("1  Prometheus  viewer everywhere  until 20")
    assert token not in listed
    said(config, "token", "revoke", "1")
    assert said(config, "token", "list").endswith("revoked\n")
    assert "allowed: none yet" in refused(config, "token", "revoke", "1")
    assert "allowed: a duration" in refused(config, "token", "add", "x", "--role", "viewer", "--expires", "soon")
    assert "for ever" in said(config, "token", "add", "x", "--role", "viewer", "--expires", "never")


def test_where_nobody_signs_in_the_commands_say_so(config: Path) -> None:
    """Whoever makes a user is told that it has no effect yet."""
    config.write_text("data: data\naccess: {open: true}\n", encoding="utf-8")
    assert "nobody has to sign in" in said(config, "user", "list")
