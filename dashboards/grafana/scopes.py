"""Of which places a dashboard speaks: its variables, and the conditions that they come to in both query languages.

A variable of many offers *All*, whose value is the expression that matches everything. Both languages then match by an
expression: InfluxQL's is escaped by Grafana's format ``regex``, PromQL's by its data source, which escapes variables
that offer *All* and no others. A variable of one is therefore compared literally in PromQL, in quotes that Grafana
sets: as an expression, the dot of ``hc.3`` would match anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

ANYTHING = ".*"
"""What *All* stands for."""
PLACE_TAGS = ("country", "region", "district", "facility", "equipment")
"""The chain of variables, each narrowing the next."""


@dataclass(frozen=True)
class Scope:
    """Variables of a dashboard, outermost first."""

    many: tuple[str, ...]
    """Variables that offer *All*."""
    one: tuple[str, ...] = ()
    """Variables with one value: what the dashboard is about."""
    grain: bool = False
    """Whether one chooses to read hours or days: the hours of a nation are too many, the days of a district too few."""
    service: bool = False
    """Whether one chooses a service too (Prometheus knows them as a label, InfluxDB does not)."""

    @property
    def tags(self) -> tuple[str, ...]:
        """Return every variable of a place."""
        return (*self.many, *self.one)

    @property
    def influx(self) -> str:
        """Return the condition in InfluxQL; of one facility the id says everything."""
        return " AND ".join(is_chosen(tag) for tag in self.one or self.many)

    @property
    def prom(self) -> str:
        """Return the matchers in PromQL, without braces."""
        return ",".join(self._matchers())

    def _matchers(self) -> Iterator[str]:
        if self.one:
            yield from (f"{tag}=${{{tag}:doublequote}}" for tag in self.one)
        else:
            yield from (f'{tag}=~"${{{tag}}}"' for tag in self.many)
        if self.service:
            yield 'service=~"${service}"'


NOWHERE = Scope(())
"""The dashboard speaks of no place."""
NATION = Scope(("country",))
DISTRICTS = Scope(("country", "region", "district"), grain=True)
PLACES = Scope(("country", "region", "district", "facility"))
FACILITIES = Scope(("country", "region", "district", "facility"), grain=True)
PROMISED = Scope(("country", "region", "district", "facility"), service=True)
FACILITY = Scope(("country", "region", "district"), ("facility",))
EQUIPMENT = Scope(("country", "region", "district"), ("facility", "equipment"))


def is_chosen(tag: str) -> str:
    """Return InfluxQL's condition that a tag has the value chosen in the variable of the same name."""
    return f'"{tag}" =~ /^${{{tag}:regex}}$/'
