"""The buffered socket below paho: the same bytes in the same order, in few calls."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.sources.paho_socket import BufferedSocket


@pytest.fixture
def pair() -> Iterator[tuple[BufferedSocket, socket.socket]]:
    """Yield a buffered socket and the other end of it."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with theirs:
        buffered = BufferedSocket(ours)
        yield buffered, theirs
        buffered.close()


def test_an_empty_socket_says_so_as_sockets_do(pair: tuple[BufferedSocket, socket.socket]) -> None:
    """Nothing there is an error to wait on; the end of the stream is empty bytes."""
    buffered, theirs = pair
    with pytest.raises(BlockingIOError):
        buffered.recv(1)
    theirs.shutdown(socket.SHUT_WR)
    assert buffered.recv(1) == b""


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=2_000), st.lists(st.integers(1, 50), min_size=1, max_size=100))
def test_pieces_of_any_size_join_to_what_was_sent(content: bytes, sizes: list[int]) -> None:
    """Reading in small pieces loses and doubles nothing."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    buffered = BufferedSocket(ours)
    with ours, theirs:
        theirs.sendall(content)
        read = b""
        for size in sizes:
            if len(read) == len(content):
                break
            piece = buffered.recv(size)
            assert 0 < len(piece) <= size
            read += piece
        assert read == content[: len(read)]
        assert buffered.readable_now == (len(read) < len(content))


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
