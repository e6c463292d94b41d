"""The metrics of facilities and nodes: their names, what they are, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.exposition.text import Family, Kind
from domain.places import Service

UP: Final = Family("vitals_facility_up", Kind.GAUGE, "1 while the facility is heard, 0 while it is silent.")
WORKING: Final[Mapping[Service, Family]] = {
    Service.MONITORING: UP,
    Service.POWER: Family(
        "vitals_facility_power_available", Kind.GAUGE, "1 while the facility has power, 0 without or when silent."
    ),
    Service.COLD_CHAIN: Family(
        "vitals_facility_cold_chain_ok", Kind.GAUGE, "1 while no cold-chain alert is critical, 0 when silent."
    ),
    Service.WATER: Family(
        "vitals_facility_water_available", Kind.GAUGE, "1 while no water alert is critical, 0 when silent."
    ),
}
LAST_SEEN: Final = Family(
    "vitals_facility_last_seen_timestamp_seconds", Kind.GAUGE, "When the facility was last heard; 0: never."
)
INFO: Final = Family("vitals_facility_info", Kind.GAUGE, "1, with the name and the timezone of the facility.")
OUTAGES: Final = Family(
    "vitals_facility_outages",
    Kind.COUNTER,
    "How often the service went down since this process started; from 0 after a restart.",
)
OUTAGE_SECONDS: Final = Family(
    "vitals_facility_outage_seconds",
    Kind.COUNTER,
    "How long the service was down since this process started, unknown times left out; from 0 after a restart.",
)
OBSERVED_SECONDS: Final = Family(
    "vitals_facility_observed_seconds",
    Kind.COUNTER,
    "How long it was known whether the service is up since this process started; from 0 after a restart.",
)
TARGET: Final = Family(
    "vitals_facility_uptime_target_ratio", Kind.GAUGE, "The availability that is promised for the service."
)
IN_RANGE: Final = Family(
    "vitals_cold_chain_in_range_seconds",
    Kind.COUNTER,
    "Appliance-seconds within the limits since this process started, by live readings; from 0 after a restart.",
)
COLD_OBSERVED: Final = Family(
    "vitals_cold_chain_observed_seconds",
    Kind.COUNTER,
    "Appliance-seconds that live readings cover since this process started; from 0 after a restart.",
)
NODE_HEARD: Final = Family(
    "vitals_node_last_heard_timestamp_seconds", Kind.GAUGE, "When the node was last heard; 0: never."
)
FAMILIES: Final = (
    *WORKING.values(), LAST_SEEN, INFO, OUTAGES, OUTAGE_SECONDS, OBSERVED_SECONDS, TARGET, IN_RANGE, COLD_OBSERVED,
    NODE_HEARD,
)  # fmt: skip
