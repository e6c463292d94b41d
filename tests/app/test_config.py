"""The service's file: every kind of mistake reads well, secrets stay secret, paths are the file's own."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.config import ServiceConfig, read_config
from app.database import open_database
from domain.errors import DocumentError, OperatorError

SECRET = "geheim-4711"


def config(folder: Path, text: str, environment: Mapping[str, str] | None = None) -> ServiceConfig:
    """Return what a file with this text says."""
    path = folder / "vitals.yaml"
    path.write_text(text, "utf-8")
    return read_config(path, environment or {})


def mistakes(folder: Path, text: str, environment: Mapping[str, str] | None = None) -> list[str]:
    """Return the lines that a person is shown, without the folder."""
    with pytest.raises(DocumentError) as caught:
        config(folder, text, environment)
    return [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]


@pytest.mark.parametrize("text", ["", "# nothing is set\n", "---\n", "{}"])
def test_a_file_that_sets_nothing_is_a_whole_service(tmp_path: Path, text: str) -> None:
    """Everything has a default; the data stand beside the file."""
    read = config(tmp_path, text)
    assert read == ServiceConfig(data=tmp_path / "vitals-data")
    assert str(read.database_url) == f"sqlite+aiosqlite:///{tmp_path}/vitals-data/vitals.db"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("dta: x", "1:1: dta: found the unknown field 'dta'; allowed: one of data, "),
        ("mqtt:\n  pasword: x", "2:3: mqtt.pasword: found the unknown field 'pasword'; allowed: one of url, "),
        ("alerts: {notifiers: {sms: {}}}", "1:22: alerts.notifiers.sms: found the unknown field 'sms'"),
        ("listen: {port: 99999}", "1:10: listen.port: found 99999; allowed: less than or equal to 65535"),
        ("listen: {port: http}", "1:10: listen.port: found 'http'; allowed: a whole number"),
        ("data: [a, b]", "1:1: data: found a list of 2; allowed: the path of a file or folder"),
        ("rules: {catalogue: maybe}", "1:9: rules.catalogue: found 'maybe'; allowed: true, false, or a list of"),
        ("rules: {catalogue: [power, watr]}", "1:28: rules.catalogue.1: found 'watr'; allowed: one of cold_chain, "),
        ("mqtt: {url: [x]}", "1:8: mqtt.url: found a list of 1; allowed: text"),
        ("mqtt: {keepalive: soon}", "1:8: mqtt.keepalive: found 'soon'; allowed: a duration such as 45s"),
        ("influxdb: {kind: v4, url: http://x}", "1:12: influxdb.kind: found 'v4'; allowed: one of v1, v2, v3"),
        (
            "alerts: {notifiers: {email: {sender: a@b.c}}}",
            "1:22: alerts.notifiers.email.host: found nothing; allowed: ",
        ),
        ("journal: 3", "1:1: journal: found 3; allowed: fields, each on its own line"),
        ("- data: x", "1:1: document: found a list of 1; allowed: fields, each on its own line"),
        ("judge: {tick_seconds: 0}", "1:9: judge.tick_seconds: found 0; allowed: greater than 0"),
        ("data: x\ndata: y", "2:1: data: found the key 'data' again"),
        ("data: *x", "1:7: data: found *x; allowed: the value written out"),
    ],
)
def test_a_mistake_names_its_place_and_what_is_allowed(tmp_path: Path, text: str, line: str) -> None:
    """File, line, column, field, what was found, what is allowed there."""
    (said,) = mistakes(tmp_path, text)
    assert said.startswith(f"vitals.yaml:{line}")


def test_the_word_that_was_meant_is_offered(tmp_path: Path) -> None:
    """A mistyped field is answered with its neighbour."""
    (said,) = mistakes(tmp_path, "mqtt: {pasword: x}")
    assert said.endswith("(did you mean password?)")


def test_every_mistake_is_listed(tmp_path: Path) -> None:
    """One round of mending is enough."""
    said = mistakes(tmp_path, "data: 5\nlisten:\n  port: -1\n  hots: x\n")
    assert [line.split(": ")[1] for line in said] == ["data", "listen.port", "listen.hots"]


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    """No traceback for a wrong path."""
    with pytest.raises(OperatorError, match="there is no such file"):
        read_config(tmp_path / "nowhere.yaml", {})


def test_relative_paths_are_the_files_own(tmp_path: Path) -> None:
    """Wherever the command is called from, a path in the file is relative to the file."""
    read = config(
        tmp_path,
        """
        data: kept
        registry: district.yaml
        rules: {files: [rules, /etc/vitals/more.yaml]}
        mqtt: {url: "mqtts://broker", ca_file: ca.pem}
        """,
    )
    assert read.data == tmp_path / "kept"
    assert read.registry == tmp_path / "district.yaml"
    assert read.rules.files == (tmp_path / "rules", Path("/etc/vitals/more.yaml"))
    assert read.mqtt.ca_file == tmp_path / "ca.pem"


def test_secrets_come_from_the_environment_or_a_file(tmp_path: Path) -> None:
    """A file's last line break is not part of the secret, and its path is relative to the configuration."""
    (tmp_path / "password").write_text(f"{SECRET}\n", "utf-8")
    for reference in ("{env: MQTT_PASSWORD}", "{file: password}"):
        read = config(tmp_path, f"mqtt: {{username: v, password: {reference}}}", {"MQTT_PASSWORD": SECRET})
        assert read.mqtt.credentials == ("v", SECRET)
        assert SECRET not in repr(read)


@pytest.mark.parametrize(
    ("reference", "line"),
    [
        ("{env: NOT_SET}", "1:8: mqtt.password: found NOT_SET, which is not set; allowed: an environment variable"),
        ("{file: nowhere}", "1:8: mqtt.password: found nowhere, which cannot be read: No such file or directory"),
        ("{file: binary}", "1:8: mqtt.password: found binary, which is not UTF-8 text; allowed: a readable text file"),
        ("{env: 5}", "1:19: mqtt.password.env: found 5; allowed: the name of an environment variable or file"),
    ],
)
def test_a_secret_that_leads_to_nothing(tmp_path: Path, reference: str, line: str) -> None:
    """The name of what is missing is said, with its place."""
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (said,) = mistakes(tmp_path, f"mqtt: {{password: {reference}}}")
    assert said.startswith(f"vitals.yaml:{line}")


@pytest.mark.parametrize(
    "text",
    [
        "mqtt: {url: 'http://broker', username: v, password: {env: KEY}}",
        "influxdb: {kind: v2, url: 'http://x', token: {env: KEY}}",
        "influxdb: {url: {env: ADDRESS}}",
        "influxdb: {url: 'http://user:geheim-4711@x'}",
        "mqtt: {keepalive: {env: KEY}}",
        "mqtt: {pasword: {env: KEY}}",
        "alerts: {notifiers: {email: {host: x, sender: {env: KEY}}}}",
        "alerts: {notifiers: {webhook: {secret: {env: KEY}}}}",
    ],
)
def test_a_mistake_beside_a_secret_does_not_tell_it(tmp_path: Path, text: str) -> None:
    """Whatever is wrong with or around a secret, the message can be shown to anybody."""
    said = mistakes(tmp_path, text, {"KEY": SECRET, "ADDRESS": f"http://user:{SECRET}@x"})
    assert said
    assert SECRET not in "\n".join(said)


async def test_a_folder_may_be_called_anything(tmp_path: Path) -> None:
    """The database stands in the data folder, whatever signs its name holds."""
    data = tmp_path / "what? 100% #1 & more"
    data.mkdir()
    read = config(tmp_path, "data: 'what? 100% #1 & more'")
    async with open_database(read.database_url) as database, database.begin() as connection:
        await connection.exec_driver_sql("CREATE TABLE there (it INTEGER)")
    assert (data / "vitals.db").exists()


async def test_a_database_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    """It names the database, never its password, and what is wrong."""
    for url, sentence in (
        (f"sqlite+aiosqlite:///{tmp_path}/no/folder.db", "cannot be used: unable to open database file"),
        (f"postgresql+asyncpg://vitals:{SECRET}@127.0.0.1:1/vitals", "database"),
        ("sqlite", "allowed: sqlite+aiosqlite:///FILE or postgresql+asyncpg://"),
        ("oracle://x", "allowed: sqlite+aiosqlite:///FILE or postgresql+asyncpg://"),
    ):
        with pytest.raises(OperatorError) as caught:
            async with open_database(url):
                pass
        assert sentence in str(caught.value)
        assert SECRET not in str(caught.value)


async def test_a_database_that_cannot_be_opened_leaves_no_thread(tmp_path: Path) -> None:
    """A thread that still told of the failure when the event loop is gone would print a trace."""
    before = set(threading.enumerate())
    with pytest.raises(OperatorError):
        async with open_database(f"sqlite+aiosqlite:///{tmp_path}/no/folder.db"):
            pass
    assert {thread.name.partition("_")[0] for thread in set(threading.enumerate()) - before} <= {"asyncio"}


async def test_the_database_is_not_blamed_for_others(tmp_path: Path) -> None:
    """An error of something else that happens while it is open stays what it is."""
    with pytest.raises(ConnectionRefusedError):
        async with open_database(f"sqlite+aiosqlite:///{tmp_path}/vitals.db"):
            raise ConnectionRefusedError("the mail server")
