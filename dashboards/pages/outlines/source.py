"""Where the outlines of maps come from: the operator's files, or what comes with Vitals."""

from __future__ import annotations

from pathlib import Path

from dashboards.pages.outlines.geojson import read_outlines
from dashboards.pages.outlines.shape import OutlinesOf
from dashboards.pages.outlines.shipped import shipped_outlines


def outlines_from(path: Path | None) -> OutlinesOf:
    """Return what to draw on: of a GeoJSON file or folder, read at once; without one, the countries' own outlines.

    Raises what ``read_outlines`` raises.
    """
    if path is None:
        return shipped_outlines
    own = read_outlines(path)
    return lambda _: own
