"""The OpenAPI document: what is so of every answer is said in one place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI

from api.models import ProblemDocument
from api.problems import PROBLEM_TYPE

Responses = dict[int | str, dict[str, Any]]

ANYWHERE: Final[Responses] = {
    400: {"description": "The request cannot be read, or something is missing in it"},
    413: {"description": "The request is too large"},
    421: {"description": "The service does not answer to this name"},
    422: {"model": ProblemDocument, "description": "Not answerable"},
}
"""What any request may come to."""
FOR_SOMEBODY: Final[Responses] = {
    401: {"description": "Nobody is signed in, or the token is worth nothing"},
    403: {"description": "This takes a role that whoever asks does not have there"},
    503: {"description": "This process has nothing to do with it; another does"},
}
"""What a request may come to that takes a role."""
FOR_SENDERS: Final[Responses] = {403: {"description": "The request came from a page of another site"}}
"""What a change that takes no role may come to."""
_SCHEME: Final = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A token of the API; a node's own for its readings"}
}
_PROBLEM: Final = {PROBLEM_TYPE: {"schema": {"$ref": f"#/components/schemas/{ProblemDocument.__name__}"}}}


def describe_errors(api: FastAPI) -> None:
    """Let the document say that errors are problem documents, and how a program says who it is."""
    write = api.openapi

    def document() -> dict[str, Any]:
        if api.openapi_schema is None:
            api.openapi_schema = _amended(write())
        return api.openapi_schema

    api.openapi = document  # type: ignore[method-assign]  # as FastAPI's manual has it


def _amended(document: dict[str, Any]) -> dict[str, Any]:
    document.setdefault("components", {})["securitySchemes"] = _SCHEME
    for operation in _operations(document):
        responses = operation["responses"]
        if "401" in responses:
            operation.setdefault("security", [{"bearer": []}])
        for status, response in responses.items():
            if status.isdecimal() and int(status) >= 400 and _is_problem(response):
                response["content"] = _PROBLEM
    return document


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


def _is_problem(response: dict[str, Any]) -> bool:
    """Tell whether a response is said to be a problem, or nothing is said of its body."""
    schemas = [each.get("schema", {}) for each in response.get("content", {}).values()]
    return all(not each or each.get("$ref", "").endswith(f"/{ProblemDocument.__name__}") for each in schemas)
