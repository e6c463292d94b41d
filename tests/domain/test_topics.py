"""Topics: what is spelled is parsed back, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rejection import PayloadError, Reason
from domain.topics import NODE_NAME, DownLane, Topic, UpLane, down, every_node_up, parse_topic, up

node_names = st.from_regex(NODE_NAME, fullmatch=True)


@given(node=node_names, lane=st.sampled_from(UpLane))
def test_an_up_topic_is_parsed_back(node: str, lane: UpLane) -> None:
    """Parsing undoes spelling for every allowed node name and every lane a node publishes."""
    assert parse_topic(up(node, lane)) == Topic(node, lane)


@given(node=node_names, lane=st.sampled_from(DownLane))
def test_a_down_topic_is_parsed_back(node: str, lane: DownLane) -> None:
    """Parsing undoes spelling for every lane a node subscribes to."""
    assert parse_topic(down(node, lane)) == Topic(node, lane)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "vitals",
        "vitals/v1/a/up",
        "vitals/v1/a/up/live/more",
        "vitals/v2/a/up/live",
        "vitals/v1//up/live",
        "vitals/v1/+/up/live",
        "vitals/v1/#/up/live",
        "vitals/v1/-a/up/live",
        "vitals/v1/a\n/up/live",
        "vitals/v1/" + "a" * 65 + "/up/live",
        "vitals/v1/é/up/live",
        "vitals/v1/a/down/live",
        "vitals/v1/a/up/receipt",
        "vitals/v1/a/sideways/live",
        "/vitals/v1/a/up/live",
    ],
)
def test_any_other_topic_is_refused(topic: str) -> None:
    """A topic of another shape is refused as a bad topic, never guessed at."""
    with pytest.raises(PayloadError) as refusal:
        parse_topic(topic)
    assert refusal.value.reason is Reason.BAD_TOPIC


@given(st.text(max_size=80))
def test_no_text_does_worse_than_be_refused(text: str) -> None:
    """Whatever stands where a topic should stand, the only answers are a topic and a bad topic."""
    try:
        topic = parse_topic(text)
    except PayloadError:
        return
    assert text in {up(topic.node, lane) for lane in UpLane} | {down(topic.node, lane) for lane in DownLane}


def test_the_collectors_filter_names_one_lane_of_every_node() -> None:
    """One subscription per lane reaches every node."""
    assert every_node_up(UpLane.LIVE) == "vitals/v1/+/up/live"
