"""Grafana dashboards as code; importing this needs no Grafana package, building the dashboards does."""
