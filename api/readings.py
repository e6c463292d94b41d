"""Readings over HTTP, for senders that have no MQTT: answered after the durable commit."""

from __future__ import annotations

import base64
import zlib
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from api.letters import desk_of
from api.models import PostedReadings, PostedReceipt, ProblemDocument, RefusedReading
from api.problems import RequestError
from api.services import Services
from collector.lanes import Outcome
from collector.posting import IntakeBusyError, IntakeFullError
from domain.rejection import Reason, Rejected
from domain.topics import UpLane

PATH = "/readings"
MOST_BYTES = 262_144
"""As over MQTT; before and after inflating."""
MOST_MEMBERS = 1_000
"""Of a gzipped body; empty ones could be ten times as many, and each costs time."""
RETRY_SECONDS = 10
TYPES = ("application/senml+json", "application/senml+cbor", "application/json", "application/cbor")
_GZIP, _ZLIB = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS
_WINDOWS = {"gzip": _GZIP, "deflate": _ZLIB}
_AS_A_WHOLE = {
    Reason.MALFORMED: HTTPStatus.BAD_REQUEST,
    Reason.NOT_SENML: HTTPStatus.BAD_REQUEST,
    Reason.TOO_DEEP: HTTPStatus.BAD_REQUEST,
    Reason.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}
_PROBLEM = {"model": ProblemDocument}


def reading_routes(services: Services) -> APIRouter:
    """Return the route under ``/readings``."""
    router = APIRouter(tags=["intake"])

    @router.post(
        PATH,
        summary="Send readings as a node",
        response_model_exclude_none=True,
        responses={
            202: {"model": PostedReadings, "description": "Kept until the node is registered"},
            **dict.fromkeys((400, 401, 413, 415, 429, 503), _PROBLEM),
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {each: {"schema": {"type": "string", "format": "binary"}} for each in TYPES},
            },
            "security": [{"bearer": []}],
        },
    )
    async def post_readings(
        request: Request,
        response: Response,
        lane: Annotated[
            Literal["live", "backfill"], Query(description="`backfill` for what could not be sent in time")
        ] = "live",
    ) -> PostedReadings:
        """Take one SenML pack (RFC 8428, JSON or CBOR), at most 256 KiB; Content-Encoding gzip or deflate.

        The node's token goes into the header `Authorization: Bearer ...`; names in the pack begin with the node's name.
        The answer comes when everything accepted is durable; sending the same again changes nothing. A pack that says
        `epoch` and `seq` gets them back as its receipt.
        """
        desk = desk_of(services)
        node = desk.node_of(_token(request))
        if node is None:
            raise _unauthorized("This token is not known, or was revoked.")
        payload = await _payload(request)
        try:
            outcome = await desk.post(node, payload, UpLane(lane))
        except IntakeFullError as error:
            raise _later(HTTPStatus.TOO_MANY_REQUESTS, error) from error
        except IntakeBusyError as error:
            raise _later(HTTPStatus.SERVICE_UNAVAILABLE, error) from error
        return _answer(outcome, payload, response)

    return router


def _unauthorized(sentence: str) -> RequestError:
    return RequestError(HTTPStatus.UNAUTHORIZED, sentence, {"WWW-Authenticate": 'Bearer realm="vitals"'})


def _later(status: HTTPStatus, error: IntakeBusyError) -> RequestError:
    return RequestError(status, f"Nothing is wrong with it: {error}.", {"Retry-After": str(RETRY_SECONDS)})


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _unauthorized("The request carries no token; send the node's as Authorization: Bearer TOKEN.")
    return token.strip()


async def _payload(request: Request) -> bytes:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in TYPES:
        raise RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Allowed are the types {', '.join(TYPES)}.")
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("identity", *_WINDOWS):
        raise RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Allowed are the codings gzip, deflate and identity.")
    body = await request.body()
    return body if coding == "identity" else inflate(body, _WINDOWS[coding])


def inflate(body: bytes, window: int) -> bytes:
    """Return a body without its compression, never more than is allowed; raise ``RequestError``.

    Gzip may come in several members, one behind the other (RFC 1952 section 2.2): a sender that appends to a file
    makes them.
    """
    payload, rest, members = b"", body, 0
    while rest or not members:
        members += 1
        inflator = zlib.decompressobj(window)
        try:
            payload += inflator.decompress(rest, MOST_BYTES + 1 - len(payload))
        except zlib.error as error:
            raise RequestError(
                HTTPStatus.BAD_REQUEST, "The body is not compressed as its Content-Encoding says."
            ) from error
        if len(payload) > MOST_BYTES:
            raise RequestError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body has more than {MOST_BYTES} bytes after inflating."
            )
        rest = inflator.unused_data
        if not inflator.eof or (rest and window != _GZIP) or members > MOST_MEMBERS:
            raise RequestError(HTTPStatus.BAD_REQUEST, "The body's compressed data have a wrong end.")
    return payload


def _answer(outcome: Outcome, payload: bytes, response: Response) -> PostedReadings:
    whole = [each for each in outcome.rejected if each.payload == payload[: len(each.payload)] and not outcome.readings]
    for each in whole:
        if each.reason is Reason.UNKNOWN_NODE:
            response.status_code = HTTPStatus.ACCEPTED
        elif each.reason in _AS_A_WHOLE:
            raise RequestError(_AS_A_WHOLE[each.reason], f"{each.reason}: {each.detail}.")
    return PostedReadings(
        stored=outcome.readings,
        refused=[_refused(each) for each in outcome.rejected],
        receipt=None if outcome.identity is None else PostedReceipt(epoch=outcome.identity[0], seq=outcome.identity[1]),
    )


def _refused(rejected: Rejected) -> RefusedReading:
    record = base64.b64encode(rejected.payload[:4_096]).decode()
    return RefusedReading(reason=rejected.reason, detail=rejected.detail, record_base64=record)
