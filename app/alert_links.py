"""The links in messages, as the configuration wants them."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import HttpUrl

from alerts.surroundings import WriteLink, no_link
from api.alert_link import PREFIX
from domain.alert_link import write_link


def link_writer(public_url: HttpUrl | None, key: bytes, lasts: timedelta) -> WriteLink:
    """Return what writes links into messages; none where nobody said at which address people reach the pages."""
    if public_url is None:
        return no_link
    address = str(public_url).rstrip("/")

    def write(alert: int, contact: str, now: datetime) -> str:
        return f"{address}{PREFIX}{write_link(key, alert, contact, now + lasts)}"

    return write
