"""Topics and filters of MQTT, for those who read other people's."""

from __future__ import annotations

from domain.rejection import PayloadError, Reason


def split(topic: str) -> list[str]:
    """Return the levels of a topic; raise ``PayloadError`` (``bad_topic``) where one is empty."""
    levels = topic.split("/")
    if not all(levels):
        raise bad_topic(topic, "a topic without empty levels")
    return levels


def bad_topic(topic: str, allowed: str) -> PayloadError:
    """Return the refusal of a topic that an adapter cannot read."""
    return PayloadError(Reason.BAD_TOPIC, f"found {topic[:100]!r}; allowed: {allowed}")


def matches(topic_filter: str, topic: str) -> bool:
    """Tell whether a topic falls under a filter with ``+`` and ``#``."""
    wanted, levels = topic_filter.split("/"), topic.split("/")
    for place, level in enumerate(wanted):
        if level == "#":
            return not topic.startswith("$")
        if place >= len(levels) or level not in ("+", levels[place]):
            return False
    return len(wanted) == len(levels)


def filter_problem(topic_filter: str) -> str | None:
    """Return what is wrong with a topic filter, or None."""
    levels = topic_filter.split("/")
    if not topic_filter or "\0" in topic_filter or len(topic_filter.encode()) > 65_535:
        return "a topic filter has 1 to 65,535 bytes"
    if "#" in "/".join(levels[:-1]) or (levels[-1].count("#") and levels[-1] != "#"):
        return "# stands alone at the end"
    if any("+" in level and level != "+" for level in levels):
        return "+ takes the place of a whole level"
    return None
