"""Settings of alerts: one field per notifier in the table, strict, and opened from the table."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from alerts.notification import NotificationKind
from alerts.notifiers.notifier import OutgoingMessage, Workplace
from alerts.notifiers.table import NOTIFIERS, open_notifiers, routes_of
from alerts.settings import AlertsSettings

TOKEN = "0123456789abcdef"
EVERYTHING = {
    "notifiers": {
        "console": {},
        "email": {"host": "127.0.0.1", "sender": "Vitals <vitals@example.org>", "password": "hush"},
        "sms_modem": {"database": "sqlite+aiosqlite://"},
        "smpp": {"host": "127.0.0.1", "port": 9, "system_id": "vitals", "password": "hush", "sender": "8000"},
        "webhook": {"url": "http://127.0.0.1:9/hook", "secret": "hush"},
        "africastalking": {"username": "vitals", "api_key": "hush", "callback_token": TOKEN},
        "sms_gateway": {
            "url": "http://127.0.0.1:9/send",
            "query": {"to": "{to}", "text": "{text}"},
            "password": "hush",
        },
        "telegram": {"token": "hush", "url": "http://127.0.0.1:9", "listen": False},
        "whatsapp": {"phone_number_id": "1", "access_token": "hush", "app_secret": "hush"},
        "ntfy": {"token": "hush"},
        "apprise": {"hosts": ["push.example.org"]},
        "voice": {"url": "http://127.0.0.1:9/call", "secret": "hush"},
    }
}
MESSAGE = OutgoingMessage("1-1-amina-console", 1, NotificationKind.ALARM, "amina", "+256", "s", "ALARM ref 1", "l", {})


def test_without_a_word_the_console_tells() -> None:
    """A first start shows its alarms on the terminal."""
    assert [route.channel for route in routes_of(AlertsSettings().notifiers)] == ["console"]


def test_every_row_of_the_table_can_be_configured() -> None:
    """Each notifier has its settings under its name, and ``null`` turns it off."""
    settings = AlertsSettings.model_validate(EVERYTHING)
    assert [route.channel for route in routes_of(settings.notifiers)] == [row.name for row in NOTIFIERS]
    off = AlertsSettings.model_validate({"notifiers": {row.name: None for row in NOTIFIERS}})
    assert routes_of(off.notifiers) == ()


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"notifiers": {"pigeon": {}}}, ("notifiers", "pigeon")),
        ({"notifiers": {"email": {"host": "mail", "sender": "nobody"}}}, ("notifiers", "email", "sender")),
        ({"notifiers": {"webhook": {"url": "no url"}}}, ("notifiers", "webhook", "url")),
        ({"dispatch": {"concurrency": 0}}, ("dispatch", "concurrency")),
    ],
)
def test_a_mistake_is_found_with_its_place(wrong: dict[str, object], where: tuple[str, ...]) -> None:
    """Unknown notifiers, and wrong values of known ones, name the path to themselves."""
    with pytest.raises(ValidationError) as caught:
        AlertsSettings.model_validate(wrong)
    assert [error["loc"] for error in caught.value.errors()] == [where]


def test_secrets_do_not_show() -> None:
    """A printed configuration tells no secret."""
    assert "hush" not in repr(AlertsSettings.model_validate(EVERYTHING))


async def test_the_table_opens_what_is_configured() -> None:
    """Each notifier stands under its channel's name; the console writes through the given writer."""
    lines: list[str] = []
    settings = AlertsSettings.model_validate(EVERYTHING).notifiers
    async with open_notifiers(settings, Workplace(writer=lines.append)) as notifiers:
        assert list(notifiers) == [row.name for row in NOTIFIERS]
        await notifiers["console"].send(MESSAGE)
    assert lines == ["to amina (+256): ALARM ref 1"]
