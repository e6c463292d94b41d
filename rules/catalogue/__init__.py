"""The rules that come with Vitals, each limit with its source; to be used as they are, or copied and changed.

Documents that suit nearly every facility are in force unless a configuration says otherwise; the others are switched on
by name, because they judge the same fridge by another programme's limits, or want something registered first.
"""

from __future__ import annotations

from importlib.resources import files

USUAL = ("cold_chain", "monitoring", "power", "water", "water_quality")
"""The documents that are in force where nobody chose."""
_ENDING = ".yaml"


def load_catalogue() -> dict[str, str]:
    """Return the text of every rule document of the catalogue by its name without the ending, in order of name."""
    documents = [entry for entry in files(__package__).iterdir() if entry.name.endswith(_ENDING)]
    texts = {entry.name.removesuffix(_ENDING): entry.read_text(encoding="utf-8") for entry in documents}
    return dict(sorted(texts.items()))
