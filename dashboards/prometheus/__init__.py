"""Prometheus' rules as data: what is recorded, and what is told of targets and of the service itself."""
