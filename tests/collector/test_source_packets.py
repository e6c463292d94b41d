"""Packets in a stream of bytes: found whole, however the stream is cut, and nothing invented."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from collector.sources import packets
from collector.sources.packets import MalformedPacketError, PacketBuffer, Publish, read_puback, read_publish
from tests.collector.intake import packet, publish

_messages = st.tuples(
    st.binary(max_size=20), st.binary(max_size=300), st.none() | st.integers(1, 65_535), st.sampled_from([0, 1, 8])
)


@settings(deadline=None)
@given(st.lists(_messages, max_size=10), st.lists(st.integers(0, 3_000), max_size=10))
def test_messages_survive_any_cutting_of_the_stream(
    messages: list[tuple[bytes, bytes, int | None, int]], cuts: list[int]
) -> None:
    """The pieces in which bytes arrive change nothing about what they say."""
    stream = b"".join(publish(topic, body, message_id=mid, flags=flags) for topic, body, mid, flags in messages)
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    buffer, found = PacketBuffer(), []
    for start, end in pairwise(places):
        buffer.feed(stream[start:end])
        while (one := buffer.next()) is not None:
            found.append(read_publish(buffer.data, one))
    assert found == [
        Publish(topic, body, bool(flags & 1), b"" if mid is None else mid.to_bytes(2, "big"))
        for topic, body, mid, flags in messages
    ]


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])
def test_lengths_of_one_to_four_bytes(size: int) -> None:
    """Every border of the length field is read right, and large packets come in one piece."""
    buffer, whole = PacketBuffer(), packet(0x20, bytes(size)) + b"\xd0\x00"
    for start in range(0, len(whole), 65_536):
        buffer.feed(whole[start : start + 65_536])
    first, second = buffer.next(), buffer.next()
    assert first is not None
    assert first.end - first.body == size
    assert second is not None
    assert second.first == 0xD0
    assert buffer.next() is None


@settings(deadline=None)
@given(st.text(max_size=100), st.binary(max_size=300), st.integers(1, 65_535))
def test_what_is_written_is_read_back(topic: str, content: bytes, message_id: int) -> None:
    """A published message and its acknowledgement carry the same id."""
    buffer = PacketBuffer()
    buffer.feed(packets.publish(topic, content, message_id))
    sent = buffer.next()
    assert sent is not None
    message = read_publish(buffer.data, sent)
    assert message is not None
    assert message[:3] == (topic.encode(), content, False)
    buffer.feed(packets.puback(message.message_id))
    answer = buffer.next()
    assert answer is not None
    assert read_puback(buffer.data, answer) == message_id


def test_what_is_no_message_of_quality_0_or_1_is_left_to_others() -> None:
    """Quality 2 has a longer conversation, and other packets are not ours."""
    for whole in (packet(0x34, b"\x00\x01a\x00\x01x"), packet(0x90, b"\x00\x01\x01")):
        buffer = PacketBuffer()
        buffer.feed(whole)
        found = buffer.next()
        assert found is not None
        assert read_publish(buffer.data, found) is None


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=10))
@example([b"\x30\xff\xff\xff\xff\x01"])
@example([b"\x32\x02\x00\x05"])
@example([b"\x30\x00"])
def test_any_bytes_are_packets_or_a_malformed_packet_error(pieces: list[bytes]) -> None:
    """Nothing else is raised, and no packet reaches beyond what came."""
    buffer, fed = PacketBuffer(), 0
    try:
        for piece in pieces:
            buffer.feed(piece)
            fed += len(piece)
            while (found := buffer.next()) is not None:
                assert found.end <= len(buffer.data) <= fed
                read_publish(buffer.data, found)
                read_puback(buffer.data, found)
    except MalformedPacketError:
        return
