"""The API is as its OpenAPI document says, whatever is sent to it: by Schemathesis, on the real store of alerts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from api.create import create_api
from domain.access import Grant, Principal, Role
from tests.api.two_districts import NEAR, NEAR_ALERT, NEAR_FRIDGE, application_of, districts_on
from tests.api.world import World

load_all_checks()
ASKED: Any = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
    ]
)
SETTINGS = {
    "seed": 7,
    "generation": {"mode": "all", "deterministic": True, "max-examples": 4, "with-security-parameters": False},
}


OWN = {"sec-fetch-site": "same-origin"}
KNOWN = {
    "path.facility": NEAR,
    "path.channel": NEAR_FRIDGE,
    "path.alert_id": NEAR_ALERT,
    "path.letter_id": 1,
    "path.roster": "near-duty",
    "query.facility": NEAR,
}
"""What there is: made-up ids seldom lead further than to 404."""


def described(**more: Any) -> schemathesis.BaseSchema:
    """Return what the document says; streams without an end have tests of their own."""
    config = SchemathesisConfig.from_dict({**SETTINGS, **more})
    schema = schemathesis.openapi.from_dict(create_api(World().services()).openapi(), config=config)
    return schema.exclude(path="/api/v1/events")


anything, known = described(), described(parameters=KNOWN)


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """Give the application on a fresh file, with an administrator before it."""
    path = tmp_path_factory.mktemp("openapi") / "vitals.db"
    # Schemathesis asks from a loop of its own each time, and connections belong to the loop that opened them.
    database = create_async_engine(f"sqlite+aiosqlite:///{path}", poolclass=NullPool)
    districts = asyncio.run(districts_on(database))
    districts.principal = Principal("user:grace", "Grace", frozenset({Grant(Role.ADMINISTRATOR)}))
    return application_of(districts)


@anything.parametrize()
def test_answers_are_as_documented(case: schemathesis.Case[Any], application: FastAPI) -> None:
    """No server error, no undocumented status, no body that the schema does not describe, no nonsense taken."""
    case.call_and_validate(checks=ASKED, headers=OWN, app=application)


@known.parametrize()
def test_answers_about_what_there_is_are_as_documented(case: schemathesis.Case[Any], application: FastAPI) -> None:
    """The same where the ids in the address are those of something."""
    case.call_and_validate(checks=ASKED, headers=OWN, app=application)
