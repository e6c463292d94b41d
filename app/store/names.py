"""The names behind channels as a table of their own, and a view for analysts that joins it to the readings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from collector.journal.archive.parquet import arrow, sync
from domain.directory import Directory

COLUMNS = ("channel", "facility", "facility_name", "country", "region", "district", "equipment", "kind", "quantity")
CHANNELS_FILE = "channels.parquet"
VIEW_FILE = "vitals.sql"
_VIEW = """\
-- Run DuckDB in this folder: duckdb -init vitals.sql
CREATE OR REPLACE VIEW readings AS
SELECT r.channel, r.measured_at, r.value, r.quality, r.measured_at + to_milliseconds(r.delay_ms) AS received_at,
       r.month, c.* EXCLUDE (channel)
FROM read_parquet('{folder}month=*/*.parquet', hive_partitioning = true, hive_types = {{'month': VARCHAR}}) AS r
LEFT JOIN '{folder}channels.parquet' AS c USING (channel);
"""


def names_of(directory: Directory) -> Iterator[dict[str, str]]:
    """Yield each channel with its place, equipment, quantity and unit."""
    for channel in directory.channels.values():
        facility = directory.facilities.get(channel.facility)
        equipment = directory.equipment.get(channel.equipment)
        yield {
            "channel": channel.id,
            "facility": channel.facility,
            "facility_name": facility.name if facility else "",
            "country": facility.country if facility else "",
            "region": facility.region if facility else "",
            "district": facility.district if facility else "",
            "equipment": channel.equipment,
            "kind": equipment.kind.value if equipment else "",
            "quantity": channel.quantity.name,
            "unit": channel.quantity.unit.name,
        }


def view_sql(folder: str = "") -> str:
    """Return the SQL that makes the view ``readings`` over an archive's folder (its end a slash, or empty: here)."""
    return _VIEW.format(folder=folder.replace("'", "''"))


def write_names(folder: Path, directory: Directory) -> None:
    """Write the table of channels and the view's SQL into an archive's folder."""
    pa = arrow()
    folder.mkdir(parents=True, exist_ok=True)
    schema = pa.schema([(name, pa.string()) for name in (*COLUMNS, "unit")])
    temporary = folder / (CHANNELS_FILE + ".tmp")
    pa.parquet.write_table(pa.Table.from_pylist(list(names_of(directory)), schema=schema), temporary)
    sync(temporary)
    temporary.replace(folder / CHANNELS_FILE)
    (folder / VIEW_FILE).write_text(view_sql(), "utf-8")
