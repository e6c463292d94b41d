"""The tables of this room in a database: made where they are missing, brought up to date where they are older."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text, update

from alerts.tables import ALERTS, METADATA

_OLD = "notifications_before_bundles"
_COPIED = (
    "id, alert, kind, contact, channel, address, reason, subject, short_text, long_text, facts, state, attempts, "
    "queued_at, next_attempt_at, deadline, settled_at, delivery_reference, last_error"
)


def bring_up_to_date(connection: Connection) -> None:
    """Make what is missing, all of it or nothing, as the first thing in a transaction of its own."""
    if connection.dialect.name == "sqlite":
        # Python's driver begins a transaction before rows are changed, and not before tables are.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    looked = inspect(connection)
    older = looked.has_table("notifications") and "bundle" not in {
        column["name"] for column in looked.get_columns("notifications")
    }
    if older:
        _set_aside(connection, [str(index["name"]) for index in looked.get_indexes("notifications")])
    METADATA.create_all(connection)
    for index in ALERTS.indexes:
        index.create(connection, checkfirst=True)
    if older:
        _take_over(connection)


def _set_aside(connection: Connection, indexes: list[str]) -> None:
    """Make room for the table of notifications as it is now."""
    for name in indexes:
        if not name.startswith("sqlite_") and not name.endswith("_key"):
            connection.execute(text(f'DROP INDEX "{name}"'))
    connection.execute(text(f"ALTER TABLE notifications RENAME TO {_OLD}"))
    connection.execute(text("ALTER TABLE alerts ADD COLUMN incident BIGINT"))
    connection.execute(text("ALTER TABLE alerts ADD COLUMN acknowledged_until BIGINT"))


def _take_over(connection: Connection) -> None:
    """Copy what was queued and sent, each message as a bundle of its own; the texts stay what they were."""
    key = "alert || '-' || transition || '-' || CASE contact WHEN '' THEN 'system' ELSE contact END || '-' || channel"
    connection.execute(
        text(
            f"INSERT INTO notifications (key, bundle, fallbacks, {_COPIED}) "  # noqa: S608 - constants
            f"SELECT {key}, (SELECT min(o.id) FROM {_OLD} o WHERE o.alert = {_OLD}.alert "
            f"AND o.transition = {_OLD}.transition AND o.contact = {_OLD}.contact AND (o.contact <> '' OR "
            f"o.channel = {_OLD}.channel)), '[]', {_COPIED} FROM {_OLD}"
        )
    )
    connection.execute(
        text(
            'INSERT INTO tellings (id, alert, transition, kind, contact, "by", occasion, who, wanted_at, hold, bundle) '  # noqa: S608 - constants
            "SELECT min(id), alert, transition, min(kind), contact, CASE contact WHEN '' THEN channel ELSE '' END, "
            f"'new', '', min(queued_at), '', min(id) FROM {_OLD} "
            "GROUP BY alert, transition, contact, CASE contact WHEN '' THEN channel ELSE '' END"
        )
    )
    connection.execute(text(f"DROP TABLE {_OLD}"))
    connection.execute(update(ALERTS).values(incident=ALERTS.c.id))
    if connection.dialect.name == "postgresql":
        for table in ("notifications", "tellings"):
            connection.execute(
                text(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), "  # noqa: S608 - constants
                    f"(SELECT coalesce(max(id), 1) FROM {table}))"
                )
            )
