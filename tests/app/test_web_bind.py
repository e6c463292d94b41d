"""Where the pages are served: loopback only, and one clear sentence where that cannot be."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.web import ListenSettings, address, bind
from domain.errors import OperatorError


@contextmanager
def taken_port() -> Iterator[int]:
    """Give a loopback port on which somebody listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def refusal(settings: ListenSettings) -> str:
    """Return the sentence with which the address is refused."""
    with pytest.raises(OperatorError) as caught:
        bind(settings, open_to_all=True)
    return str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_a_loopback_address_is_taken(host: str) -> None:
    """Port 0 takes any free port, and the address says which."""
    with bind(ListenSettings(host=host, port=0), open_to_all=True) as listener:
        port = listener.getsockname()[1]
        assert address(listener) in (f"http://{host}:{port}", f"http://127.0.0.1:{port}")
        socket.create_connection((host, port), timeout=5).close()


def test_an_address_of_the_other_family_is_written_in_brackets() -> None:
    """A browser needs the brackets; a machine without IPv6 says so in a sentence."""
    if Path("/proc/net/if_inet6").exists() and Path("/proc/net/if_inet6").read_text("ascii"):
        with bind(ListenSettings(host="::1", port=0), open_to_all=True) as listener:
            assert address(listener).startswith("http://[::1]:")
    else:
        assert "on ::1 cannot be opened" in refusal(ListenSettings(host="::1", port=0))


def test_a_busy_port_is_one_sentence() -> None:
    """It says which port, and what to do."""
    with taken_port() as port:
        said = refusal(ListenSettings(port=port))
    assert said == f"port {port} on 127.0.0.1 is taken by another program; stop that program or choose another port"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "2001:db8::7"])
def test_what_others_can_reach_is_refused(host: str) -> None:
    """Without sign-in nobody else may reach the pages, whoever owns the address."""
    assert "access without open, so that people sign in" in refusal(ListenSettings(host=host))


@pytest.mark.parametrize("host", ["vitals.example.org", "", "127.0.0.1:8080"])
def test_a_name_is_no_address(host: str) -> None:
    """A name may lead anywhere."""
    assert refusal(ListenSettings(host=host)).startswith(f"listen.host is {host!r}; allowed: an IP address")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every port")
def test_a_privileged_port_is_one_sentence() -> None:
    """It says which ports anybody may open."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text("ascii"))
    if lowest <= 1:
        pytest.skip("this machine lets everybody open every port")
    assert refusal(ListenSettings(port=1)).endswith("may not be opened by this user; choose a port above 1023")


def test_answers_are_not_held_back() -> None:
    """A connection that the listener takes sends small pieces at once, or every page would wait 40 ms for its body."""
    with (
        bind(ListenSettings(port=0), open_to_all=True) as listener,
        socket.create_connection(listener.getsockname()[:2], timeout=5),
        listener.accept()[0] as taken,
    ):
        assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
