"""The tables of alerts as Vitals 0.1.0 first made them, in SQL, with an alarm that was sent and one that waits."""

from __future__ import annotations

from typing import Final

from domain.instant import to_ms
from tests.alerts.given import NOON, an_episode

IDENTITY: Final = {"sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT", "postgresql": "BIGSERIAL PRIMARY KEY"}
_AT: Final = to_ms(NOON)


def statements(dialect: str) -> list[str]:
    """Return what makes the old tables and fills them."""
    identity = IDENTITY[dialect]
    return [
        """CREATE TABLE episodes (id VARCHAR PRIMARY KEY, rule VARCHAR NOT NULL, severity INTEGER NOT NULL,
        subject_kind VARCHAR NOT NULL, subject VARCHAR NOT NULL, facility VARCHAR NOT NULL, started_at BIGINT NOT NULL,
        confirmed_at BIGINT NOT NULL, ended_at BIGINT, extreme DOUBLE PRECISION, extreme_at BIGINT,
        retracted_at BIGINT)""",
        f"""CREATE TABLE alerts (id {identity}, episode VARCHAR NOT NULL UNIQUE REFERENCES episodes (id),
        facility VARCHAR NOT NULL, state VARCHAR NOT NULL, past BOOLEAN NOT NULL, silent BOOLEAN NOT NULL,
        raised_at BIGINT NOT NULL, alarmed_severity INTEGER NOT NULL, alarmed_extreme DOUBLE PRECISION,
        acknowledged_at BIGINT, acknowledged_by VARCHAR NOT NULL, transitions INTEGER NOT NULL)""",
        "CREATE INDEX alerts_by_facility ON alerts (facility, id)",
        f"""CREATE TABLE notifications (id {identity}, alert BIGINT NOT NULL REFERENCES alerts (id),
        transition INTEGER NOT NULL, kind VARCHAR NOT NULL, contact VARCHAR NOT NULL, channel VARCHAR NOT NULL,
        address VARCHAR NOT NULL, reason VARCHAR NOT NULL, subject TEXT NOT NULL, short_text TEXT NOT NULL,
        long_text TEXT NOT NULL, facts TEXT NOT NULL, state VARCHAR NOT NULL, attempts INTEGER NOT NULL,
        queued_at BIGINT NOT NULL, next_attempt_at BIGINT, deadline BIGINT NOT NULL, settled_at BIGINT,
        delivery_reference VARCHAR NOT NULL, last_error TEXT NOT NULL,
        UNIQUE (alert, transition, contact, channel),
        CHECK (state IN ('queued', 'submitted', 'delivered', 'failed', 'cancelled')))""",
        """CREATE INDEX notifications_waiting ON notifications (channel, next_attempt_at, id)
        WHERE next_attempt_at IS NOT NULL""",
        "CREATE INDEX notifications_to_recipient ON notifications (alert, contact, channel, id)",
        f"""CREATE TABLE alert_audit (id {identity}, alert BIGINT NOT NULL REFERENCES alerts (id), at BIGINT NOT NULL,
        who VARCHAR NOT NULL, origin VARCHAR NOT NULL, what VARCHAR NOT NULL, detail TEXT NOT NULL)""",
        f"""INSERT INTO episodes VALUES ('{an_episode().id}', 'heat', 2, 'channel', '{an_episode().subject}',
        'kasese-3', {_AT}, {_AT}, NULL, 9.4, {_AT}, NULL)""",  # noqa: S608 - constants
        f"""INSERT INTO alerts (episode, facility, state, past, silent, raised_at, alarmed_severity, alarmed_extreme,
        acknowledged_by, transitions) VALUES ('{an_episode().id}', 'kasese-3', 'unacknowledged', FALSE, FALSE, {_AT},
        2, 9.4, '', 1)""",  # noqa: S608 - constants
        _notification("amina", "email", "delivered", "NULL"),
        _notification("amina", "sms", "queued", str(_AT)),
        _notification("", "webhook", "delivered", "NULL"),
    ]


def _notification(contact: str, channel: str, state: str, next_attempt_at: str) -> str:
    return f"""INSERT INTO notifications (alert, transition, kind, contact, channel, address, reason, subject,
        short_text, long_text, facts, state, attempts, queued_at, next_attempt_at, deadline, delivery_reference,
        last_error) VALUES (1, 1, 'alarm', '{contact}', '{channel}', 'somewhere', 'told_new', 'ALARM', 'ALARM ref 1',
        'ALARM', '{{}}', '{state}', 0, {_AT}, {next_attempt_at}, {_AT + 3_600_000}, '', '')"""  # noqa: S608 - constants
