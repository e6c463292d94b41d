"""Telling a node things from the command line: what is refused before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from app.node_commands import read_key
from domain.errors import OperatorError

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """Return the configuration of a service whose broker is nowhere, with the key of one node."""
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/n1.key").write_text(f"{KEY}\n")
    config = tmp_path / "vitals.yaml"
    config.write_text("mqtt: {url: 'mqtt://127.0.0.1:1'}\nnode_keys: keys\n")
    return config


def vitals_node(*arguments: str | Path) -> Result:
    """Type a command."""
    return CliRunner().invoke(main, ["node", *map(str, arguments)])


def test_a_key_is_the_nodes_own(tmp_path: Path) -> None:
    """By the node's name, or from the file that is named; without the line break at its end."""
    (tmp_path / "n1.key").write_text(f"{KEY}\n")
    (tmp_path / "other").write_text(KEY[::-1])
    assert read_key(tmp_path, "n1", None) == KEY
    assert read_key(tmp_path, "n2", tmp_path / "other") == KEY[::-1]


@pytest.mark.parametrize(("node", "said"), [("../n1", "found node"), ("n2", "cannot be read"), ("short", "shorter")])
def test_a_key_that_cannot_be_used_is_named(tmp_path: Path, node: str, said: str) -> None:
    """A path in a name, a missing key, a key that could be guessed."""
    (tmp_path / "short.key").write_text("secret")
    with pytest.raises(OperatorError, match=said):
        read_key(tmp_path, node, None)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("command", "n1", "dance"), 2),
        (("command", "n1", "identify", "seconds"), 2),
        (("command", "n2", "restart"), 2),
        (("command", "n1", "restart"), 4),
    ],
)
def test_mistakes_have_exit_codes(service: Path, arguments: tuple[str, ...], code: int) -> None:
    """What the operator has to mend is 2, a broker that is away is 4."""
    assert vitals_node(*arguments, "--config", service).exit_code == code


@pytest.mark.parametrize(("text", "code"), [("interval: [", 2), ("interval: 5min", 4)])
def test_a_configuration_is_read_before_it_is_sent(service: Path, tmp_path: Path, text: str, code: int) -> None:
    """A file that is no YAML is refused at the centre already."""
    (tmp_path / "new.yaml").write_text(text)
    assert vitals_node("config", "n1", tmp_path / "new.yaml", "--config", service).exit_code == code
