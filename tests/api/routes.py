"""Every route of the application, with the role that it declares, and how a test asks it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from api.visit import Needs
from domain.access import Role
from tests.api.two_districts import FAR, FAR_ALERT, FAR_FRIDGE, NEAR, NEAR_ALERT, NEAR_FRIDGE

API = "/api/v1"
PUBLIC = {
    ("GET", f"{API}/openapi.json"): "says what there is to ask, and nothing of what is known",
    ("GET", "/healthz"): "for the supervisor of the process",
    ("GET", "/readyz"): "for the supervisor of the process",
    ("GET", "/static/{name:path}"): "style and script",
    ("GET", "/favicon.ico"): "an icon",
    ("GET", "/sw.js"): "a script",
    ("GET", "/manifest.webmanifest"): "a name and icons",
    ("GET", "/offline"): "what a phone keeps to show where there is no network",
    ("GET", "/a/{token}"): "the token in the address says who it is",
    ("GET", "/sign-in"): "for those who are not signed in",
    ("POST", "/sign-in"): "for those who are not signed in",
    ("POST", "/sign-out"): "ends the session that comes with it, if one does",
    ("GET", "/account"): "one's own: asks for the session by itself",
    ("POST", "/account/language"): "one's own: asks for the session by itself",
    ("POST", "/account/sessions/end"): "one's own: asks for the session by itself",
    ("POST", "/account/sessions/{number}/end"): "one's own: asks for the session by itself",
    ("GET", "/account/password"): "one's own: asks for the session by itself, also where nothing else may be done yet",
    ("POST", "/account/password"): "one's own: asks for the session by itself, also where nothing else may be done yet",
    ("POST", "/language"): "for those who cannot read the page on which one signs in",
    ("GET", f"{API}/callbacks/{{channel}}/{{token}}"): "a gateway knows the secret in the address",
    ("POST", f"{API}/callbacks/{{channel}}/{{token}}"): "a gateway knows the secret in the address",
    ("POST", f"{API}/readings"): "a node brings its token",
}
"""The routes that ask nobody who they are, and why not."""

EVERYWHERE = {
    ("GET", "/metrics"),
    ("GET", "/metrics/equipment"),
    ("GET", f"{API}/outbox"),
    ("GET", f"{API}/deadletters"),
    ("GET", f"{API}/deadletters/{{letter_id}}"),
    ("POST", f"{API}/deadletters/replay"),
}
"""What belongs to no place: the role has to be given for the whole country."""

_LATER = "2026-11-21T00:00:00Z"
_FORM: Mapping[str, Any] = {"data": {"by": "Grace", "hours": "4", "reason": "defrosting", "next": "/"}}
BODIES: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("POST", f"{API}/alerts/{{alert_id}}/acknowledge"): {"json": {"note": "soon"}},
    ("POST", f"{API}/alerts/{{alert_id}}/help"): {"json": {}},
    ("POST", f"{API}/alerts/{{alert_id}}/shelve"): {"json": {"hours": 1, "reason": "defrosting"}},
    ("POST", f"{API}/alerts/{{alert_id}}/unshelve"): {"json": {}},
    ("POST", f"{API}/alerts/{{alert_id}}/close"): {"json": {"reason": "door"}},
    ("POST", f"{API}/silences"): {
        "json": {"reason": "works", "start": _LATER, "facility": "{facility}", "rule": "another"}
    },
    ("POST", f"{API}/deadletters/replay"): {"json": {"id": 1}},
    ("PUT", f"{API}/rosters/{{roster:path}}.ics"): {
        "content": b"BEGIN:VCALENDAR",
        "headers": {"content-type": "text/calendar"},
    },
    ("GET", f"{API}/on-call"): {"params": {"facility": "{facility}"}},
    ("POST", "/claim/{waiting}"): {"data": {"facility": "{facility}"}},
    ("POST", "/rules/{rule_id}/backtests"): {"data": {"wording": "", "days": "7"}},
    ("POST", "/sla"): {"data": {"facility": "{facility}", "month": "2026-10"}},
    ("POST", "/reports"): {"data": {"facility": "{facility}", "month": "2026-10"}},
    ("POST", f"{API}/sla"): {"json": {"facility": "{facility}", "month": "2026-10"}},
    ("POST", f"{API}/reports"): {"json": {"facility": "{facility}", "month": "2026-10"}},
    ("POST", f"{API}/sla/{{number}}/issue"): {"json": {"by": "Grace"}},
}
"""What is sent with a request, where an empty form is not enough."""


_OF_A_MONTH = (
    ("GET", f"{API}/reports/{{number}}"),
    ("DELETE", f"{API}/reports/{{number}}"),
    ("GET", f"{API}/reports/{{number}}/report.{{form}}"),
    ("GET", "/reports/{number}"),
    ("POST", "/reports/{number}/cancel"),
    ("GET", "/reports/{number}/report.{form}"),
)
OTHER_NUMBERS = {("POST", "/maintenance/{number}/end"): {1: 4}, **{key: {1: 3} for key in _OF_A_MONTH}}
"""Where what has this number is gone already."""


class Fill(NamedTuple):
    """What stands for the parameters of addresses."""

    facility: str
    channel: str
    alert_id: int
    roster: str
    contact: str
    letter_id: int = 1
    number: int = 1
    rule_id: str = "who-freeze"
    equipment: str = "fridge-0"
    quantity: str = "temperature"
    node: str = f"{NEAR}-gw"
    waiting: str = "pi-7"
    entry: int = 1
    form: str = "csv"


NEAR_BY = Fill(NEAR, NEAR_FRIDGE, NEAR_ALERT, "near-duty", "amina")
FAR_OFF = Fill(
    FAR, FAR_FRIDGE, FAR_ALERT, "far-duty", "far-okello", number=2, node=f"{FAR}-gw", waiting="pi-8", entry=3
)
NOWHERE = Fill(
    "no-hc4", "no-hc4/fridge-0/temperature", 99, "no-duty", "no-body", number=99, node="no-gw", waiting="pi-9", entry=99
)


class Route(NamedTuple):
    """One method at one address."""

    method: str
    path: str
    role: Role | None
    """None: it does not ask who it is."""

    @property
    def key(self) -> tuple[str, str]:
        """Return what tables know it by."""
        return self.method, self.path

    @property
    def parameters(self) -> list[str]:
        """Return the names of what varies in its address."""
        return [part.partition("}")[0].partition(":")[0] for part in self.path.split("{")[1:]]

    def request(self, fill: Fill) -> tuple[str, str, dict[str, Any]]:
        """Return method, address and what is sent along; an unknown parameter is an ``AttributeError``."""
        address = self.path
        for name in self.parameters:
            found = getattr(fill, name)
            value = quote(str(OTHER_NUMBERS.get(self.key, {}).get(found, found)), safe="/")
            address = address.replace(f"{{{name}}}", value).replace(f"{{{name}:path}}", value)
        usual: Mapping[str, Any] = {} if self.method in ("GET", "DELETE") else _FORM
        sent = _filled(BODIES.get(self.key, usual), fill)
        own = {"sec-fetch-site": "same-origin"}
        return self.method, address, {**sent, "headers": {**own, **sent.get("headers", {})}}


def _filled(value: Any, fill: Fill) -> Any:
    if isinstance(value, Mapping):
        return {name: _filled(each, fill) for name, each in value.items()}
    return fill.facility if value == "{facility}" else value


def routes_of(application: FastAPI) -> list[Route]:
    """Return every route, in the order of their registration."""
    return [
        Route(method, context.path or "", role_of(getattr(context, "dependant", None)))
        for context in iter_route_contexts(application.routes)
        for method in sorted((context.methods or set()) - {"HEAD"})
    ]


def role_of(dependant: Dependant | None) -> Role | None:
    """Return the role that a route's dependencies declare."""
    return next(_roles(dependant), None) if dependant else None


def _roles(dependant: Dependant) -> Iterator[Role]:
    for each in dependant.dependencies:
        if isinstance(each.call, Needs):
            yield each.call.role
        yield from _roles(each)
