"""Grafana as code, and the built-in pages."""
