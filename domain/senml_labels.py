"""The labels of SenML (RFC 8428 sections 4.1, 4.2 and 6) and what Vitals adds to them."""

from __future__ import annotations

from typing import NamedTuple

Label = str | int
Record = dict[Label, object]

EPOCH = "epoch"
"""Extension label, first record only: names one life of the sender's outbox."""
EPOCH_PATTERN = r"[A-Za-z0-9._-]{1,64}"
SEQ = "seq"
"""Extension label, first record only: the number of the batch within its epoch."""
QUALITY = "q"
"""Extension label: the quality of a value that is there and in doubt."""

VERSION = 10
"""The SenML version that is the default and the only one (RFC 8428 section 4.4)."""
ABSOLUTE_FROM_SECONDS = 2**28
"""A resolved time below this is relative to the moment of arrival (RFC 8428 section 4.5.3)."""
ABSOLUTE_FROM_MS = ABSOLUTE_FROM_SECONDS * 1000
"""The first moment that can be written at all: 1978-07-04T21:24:16Z."""
ABSOLUTE_END_SECONDS = 253_402_300_800
"""The year 10000, where RFC 3339 and ``datetime`` end."""

NAME = r"[A-Za-z0-9][A-Za-z0-9:./_-]*"
"""What a resolved name may look like (RFC 8428 section 4.5.1)."""


class Labels(NamedTuple):
    """One spelling of the labels; text in JSON, integers in CBOR."""

    version: Label
    base_name: Label
    base_time: Label
    base_unit: Label
    base_value: Label
    base_sum: Label
    name: Label
    unit: Label
    value: Label
    text: Label
    boolean: Label
    sum: Label
    time: Label
    update: Label
    data: Label


JSON_LABELS = Labels("bver", "bn", "bt", "bu", "bv", "bs", "n", "u", "v", "vs", "vb", "s", "t", "ut", "vd")
CBOR_LABELS = Labels(-1, -2, -3, -4, -5, -6, 0, 1, 2, 3, 4, 5, 6, 7, 8)
