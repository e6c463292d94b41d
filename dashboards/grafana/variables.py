"""The variables of a dashboard: two data sources, the chain of places, and the address of Vitals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dashboards.grafana.influxql import INFLUX, tag_values
from dashboards.grafana.scopes import ANYTHING, Scope
from dashboards.pages.wording import SERVICE_WORDS


def variables(scope: Scope, vitals_url: str) -> Iterator[Any]:
    """Yield the SDK's builders of the variables, in the order in which they stand on the dashboard."""
    from grafana_foundation_sdk.builders import dashboard as builders

    yield builders.DatasourceVariable("influx").label("InfluxDB").type("influxdb")
    yield builders.DatasourceVariable("prometheus").label("Prometheus").type("prometheus")
    for tag in scope.tags:
        yield _place(tag, offers_all=tag in scope.many)
    if scope.grain:
        yield _grain()
    if scope.service:
        yield _service()
    yield builders.ConstantVariable("vitals").label("Address of Vitals").value(vitals_url)


def _place(tag: str, *, offers_all: bool) -> Any:
    from grafana_foundation_sdk.builders import dashboard as builders
    from grafana_foundation_sdk.models import common
    from grafana_foundation_sdk.models import dashboard as models

    variable = builders.QueryVariable(tag).label(tag.capitalize()).query(tag_values(tag))
    variable = variable.datasource(common.DataSourceRef(INFLUX["type"], INFLUX["uid"]))
    # What there is changes with the registry, not with the time shown.
    variable = variable.refresh(models.VariableRefresh.ON_DASHBOARD_LOAD)
    variable = variable.sort(models.VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)
    return _with_all(variable) if offers_all else variable


def _service() -> Any:
    from grafana_foundation_sdk.builders import dashboard as builders

    values = ",".join(f"{word} : {service.value}" for service, word in SERVICE_WORDS.items())
    return _with_all(builders.CustomVariable("service").label("Service").values(values))


def _grain() -> Any:
    from grafana_foundation_sdk.builders import dashboard as builders
    from grafana_foundation_sdk.models import dashboard as models

    hours = models.VariableOption(selected=True, text="hours", value="1h")
    return builders.CustomVariable("grain").label("Read").values("hours : 1h,days : 1d").current(hours)


def _with_all(variable: Any) -> Any:
    from grafana_foundation_sdk.models import dashboard as models

    everything = models.VariableOption(selected=True, text="All", value="$__all")
    return variable.include_all(True).all_value(ANYTHING).current(everything)
