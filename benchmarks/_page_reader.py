"""A process that reads pages as a browser does, or holds event streams open.

``python -m benchmarks._page_reader pages`` takes ``{"rounds": 20, "addresses": ["http://..."]}`` as a line on
standard input, asks for every address once a round, over connections that stay open, and prints
``{"seconds": [[...], ...], "bytes": [...]}`` by address. ``... streams COUNT ADDRESS`` opens so many, prints a line
when all are open, and reads them until it is killed.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

_HEADERS = {"Accept-Encoding": "gzip", "Accept": "text/html"}
_IDLE_SECONDS = 2.0
_REQUEST = "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n\r\n"


def read_pages(addresses: list[str], rounds: int) -> tuple[list[list[float]], list[int]]:
    """Return the seconds that each answer took, by address, and how many bytes came."""
    connections: dict[str, HTTPConnection] = {}
    used: dict[str, float] = {}
    seconds: list[list[float]] = [[] for _ in addresses]
    sizes = [0] * len(addresses)
    for _ in range(rounds):
        for place, address in enumerate(addresses):
            parts = urlsplit(address)
            connection = connections.setdefault(parts.netloc, HTTPConnection(parts.netloc))
            if time.perf_counter() - used.get(parts.netloc, 0.0) > _IDLE_SECONDS:
                connection.close()  # the server may have; the next request opens it again
            started = time.perf_counter()
            connection.request("GET", f"{parts.path}?{parts.query}", headers=_HEADERS)
            answer = connection.getresponse()
            sizes[place] = len(answer.read())
            used[parts.netloc] = time.perf_counter()
            seconds[place].append(used[parts.netloc] - started)
            if answer.status != 200:
                raise RuntimeError(f"{address} answered {answer.status}")
    return seconds, sizes


async def hold_streams(count: int, address: str) -> None:
    """Open so many streams and read whatever comes."""
    parts = urlsplit(address)
    request = _REQUEST.format(path=parts.path, host=parts.netloc).encode()
    readers = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(request)
        readers.append((reader, writer))
        await reader.readuntil(b"retry:")
    print("open", flush=True)
    await asyncio.gather(*(_drain(reader) for reader, _ in readers))


async def _drain(reader: asyncio.StreamReader) -> None:
    while await reader.read(65_536):
        pass


def main() -> None:
    """Do what the arguments say."""
    if sys.argv[1] == "streams":
        asyncio.run(hold_streams(int(sys.argv[2]), sys.argv[3]))
        return
    wanted = json.loads(sys.stdin.readline())
    seconds, sizes = read_pages(wanted["addresses"], wanted["rounds"])
    print(json.dumps({"seconds": seconds, "bytes": sizes}), flush=True)


if __name__ == "__main__":
    main()
