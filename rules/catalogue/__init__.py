"""The rules that come with Vitals, each limit with its source; to be used as they are, or copied and changed."""

from __future__ import annotations

from importlib.resources import files


def load_catalogue() -> list[tuple[str, str]]:
    """Return the name and the text of every rule document of the catalogue, in order of name."""
    documents = (entry for entry in files(__package__).iterdir() if entry.name.endswith(".yaml"))
    return sorted((entry.name, entry.read_text(encoding="utf-8")) for entry in documents)
