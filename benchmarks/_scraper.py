"""A process that scrapes as Prometheus does, with gzip, one after the other without a pause.

``python -m benchmarks._scraper ADDRESS COUNT`` prints an empty line after the first scrape, and in the end
``{"seconds": [...], "packed": 1, "plain": 2, "samples": 3}``; a COUNT of 0 never ends.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from http.client import HTTPConnection
from itertools import count, islice
from urllib.parse import urlsplit

HEADERS = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5", "Accept-Encoding": "gzip"}


def main() -> None:
    """Scrape so often."""
    parts, times = urlsplit(sys.argv[1]), int(sys.argv[2])
    connection, seconds, content = HTTPConnection(parts.netloc), list[float](), b""
    for turn in islice(count(), times or None):
        started = time.perf_counter()
        connection.request("GET", parts.path, headers=HEADERS)
        answer = connection.getresponse()
        content = answer.read()
        seconds.append(time.perf_counter() - started)
        if answer.status != 200:
            raise RuntimeError(f"{sys.argv[1]} answered {answer.status}")
        if turn == 0:
            print(flush=True)
    plain = gzip.decompress(content)
    samples = sum(not line.startswith(b"#") for line in plain.splitlines())
    print(json.dumps({"seconds": seconds, "packed": len(content), "plain": len(plain), "samples": samples}), flush=True)


if __name__ == "__main__":
    main()
