"""The buffered socket below paho: the same bytes in the same order, in few calls."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from collector.sources.packets import Publish
from collector.sources.paho_socket import BufferedSocket, Left
from tests.collector.intake import publish


@pytest.fixture
def pair() -> Iterator[tuple[BufferedSocket, socket.socket]]:
    """Yield a buffered socket and the other end of it."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with theirs:
        buffered = BufferedSocket(ours)
        yield buffered, theirs
        buffered.close()


def test_paho_reads_granted_packets_only(pair: tuple[BufferedSocket, socket.socket]) -> None:
    """Messages and acknowledgements are handed out; any other packet is granted whole, and nothing behind it."""
    buffered, theirs = pair
    theirs.sendall(publish(b"a/b", b"one", message_id=7) + b"\x40\x02\x01\x02\xd0\x00" + publish(b"c", b"two")[:-1])
    assert buffered.next() is Left.NOTHING
    assert buffered.fill()
    assert buffered.next() == Publish(b"a/b", b"one", retained=False, message_id=b"\x00\x07")
    assert buffered.next() == 0x0102
    with pytest.raises(BlockingIOError):
        buffered.recv(1)
    assert buffered.next() is Left.TO_PAHO
    assert (buffered.recv(1), buffered.recv(10)) == (b"\xd0", b"\x00")
    assert buffered.next() is Left.NOTHING
    with pytest.raises(BlockingIOError):
        buffered.recv(1)
    assert not buffered.fill()


def test_the_end_of_the_stream_is_told_to_paho(pair: tuple[BufferedSocket, socket.socket]) -> None:
    """No bytes at all mean that the connection is over."""
    buffered, theirs = pair
    theirs.shutdown(socket.SHUT_WR)
    assert buffered.fill()
    assert buffered.next() is Left.TO_PAHO
    assert buffered.recv(1) == b""


def test_what_is_sent_waits_for_flush_and_survives_a_full_peer(pair: tuple[BufferedSocket, socket.socket]) -> None:
    """A peer that does not read gets everything once it does."""
    buffered, theirs = pair
    content = bytes(range(256)) * 20_000
    assert buffered.send(content) == len(content)
    assert not buffered.flush()
    assert 0 < buffered.unsent_bytes < len(content)
    received = bytearray()
    while len(received) < len(content):
        received += theirs.recv(65_536)
        buffered.flush()
    assert received == content
    assert buffered.unsent_bytes == 0


def test_closing_sends_the_last_words(pair: tuple[BufferedSocket, socket.socket]) -> None:
    """The DISCONNECT packet is written and the socket closed in one go."""
    buffered, theirs = pair
    buffered.send(b"\xe0\x00")
    buffered.close()
    assert theirs.recv(10) == b"\xe0\x00"
    assert theirs.recv(10) == b""
