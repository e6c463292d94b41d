"""What the service tells Prometheus, written down by its names: for two facilities in trouble, counters that grow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from domain.places import Facility, Service

OF_A_PLACE = ("country", "region", "district", "facility", "equipment")


def exposition(equipment: Mapping[Facility, str], now: float, scrapes: int) -> str:
    """Return the text of a scrape: each facility with one piece of equipment."""
    lines = [
        f"{name}{_labels(labels)} {value!r}"
        for name, labels, value in (*_service(now, scrapes), *_places(equipment, now, scrapes))
    ]
    return "\n".join(lines) + "\n"


Sample = tuple[str, Mapping[str, str], float]


def _service(now: float, scrapes: int) -> Iterator[Sample]:
    yield "vitals_build_info", {"version": "1"}, 1
    yield "process_start_time_seconds", {}, now - 1000
    yield "process_resident_memory_bytes", {}, 1e8
    yield "process_cpu_seconds_total", {}, scrapes
    yield "vitals_judge_failing", {}, 0
    yield "vitals_judge_lag_readings", {}, 5
    yield "vitals_nodes_waiting", {}, 1
    yield "vitals_nodes_quarantined", {}, 0
    yield "vitals_alert_oldest_unanswered_critical_seconds", {}, 60
    yield "vitals_certificate_expiry_timestamp_seconds", {"holder": "node", "name": "n"}, now + 1e6
    for name in ("live", "backfill"):
        yield "vitals_broker_connected", {"lane": name}, 1
        yield "vitals_ingest_messages_total", {"lane": name}, scrapes
        yield "vitals_ingest_queue_messages", {"lane": name}, 0
    for log in ("readings", "alerts"):
        yield "vitals_influxdb_healthy", {"log": log}, 1
        yield "vitals_influxdb_lag", {"log": log}, 0
    for counter in (
        "readings", "judged_readings", "journal_commits", "journal_commit_seconds", "commit_failures",
        "judge_steps", "judge_step_seconds",
    ):  # fmt: skip
        yield f"vitals_{counter}_total", {}, scrapes
    yield "vitals_store_errors_total", {"store": "journal"}, 0
    yield "vitals_rejected_total", {"reason": "unknown_node"}, scrapes
    yield "vitals_kept_out_messages_total", {"reason": "unknown"}, scrapes
    yield "vitals_notifications_total", {"channel": "sms", "state": "sent"}, scrapes
    yield "vitals_notifications_waiting", {"channel": "sms"}, 1
    yield "vitals_notifications_undeliverable_total", {"channel": "sms"}, 0
    for name, labels in (("ingest_lag", {}), ("receipt_lag", {}), ("notification_delivery", {"channel": "sms"})):
        for edge in ("0.1", "1.0", "+Inf"):
            yield f"vitals_{name}_seconds_bucket", {**labels, "le": edge}, scrapes


def _places(equipment: Mapping[Facility, str], now: float, scrapes: int) -> Iterator[Sample]:
    for place, thing in equipment.items():
        where = {"country": place.country, "region": place.region, "district": place.district, "facility": place.id}
        yield "vitals_facility_up", where, 1
        for name in ("power_available", "cold_chain_ok", "water_available"):
            yield f"vitals_facility_{name}", where, 0
        yield "vitals_facility_last_seen_timestamp_seconds", where, now - 30
        yield "vitals_node_last_heard_timestamp_seconds", {"facility": place.id, "node": "n"}, now - 30
        for severity in ("critical", "warning"):
            found = {"facility": place.id, "rule": "heat", "severity": severity, "state": "unacknowledged"}
            yield "vitals_alert_active", found, 1
        for service in Service:
            of = {**where, "service": service.value}
            yield "vitals_facility_outages_total", of, scrapes
            yield "vitals_facility_outage_seconds_total", of, scrapes / 10
            yield "vitals_facility_observed_seconds_total", of, scrapes
            yield "vitals_facility_uptime_target_ratio", of, 0.95
        yield "vitals_cold_chain_in_range_seconds_total", where, scrapes / 2
        yield "vitals_cold_chain_observed_seconds_total", where, scrapes
        known = {**where, "equipment": thing, "kind": "mains", "channel": f"{thing}/voltage"}
        yield "vitals_equipment_voltage_volts", known, 240
        yield "vitals_equipment_last_reading_timestamp_seconds", known, now - 30


def _labels(values: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in values.items()) + "}"
