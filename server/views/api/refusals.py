"""How a refusal is told: always a `agent.wire.Refusal`, always with what to do.

Whatever goes wrong with a request ends here, so a client needs one reader for every answer
of 400 and above. What a client sent is not repeated, except the place in its body.
"""

import re
from dataclasses import dataclass

import msgspec
from litestar.exceptions import HTTPException, ValidationException

from agent.wire import WIRE_VERSIONS, Refusal
from server.errors import RequestRefused, StoreError

JSON = "application/json"

BUSY_RETRY_AFTER_S = 30
"""When to ask again while the database cannot be written, in seconds."""

_BY_STATUS = {
    404: (
        "there is nothing at this path",
        "give the server's address without a path; see /schema for what there is",
    ),
    405: ("this path does not take this method", "see /schema for what it takes"),
    500: ("the server made a mistake", "tell its operator to read the log"),
}

_encode = msgspec.json.Encoder().encode

_PLACE = re.compile(r"(?P<what>.*?)(?: - at `(?P<path>[^`]{1,200})`)?\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole answer.

    Attributes:
        status: The HTTP status.
        headers: Names in lower case.
        body: The bytes.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def told(refused: RequestRefused, *further: tuple[str, str]) -> Reply:
    """The answer for a refused request, with further headers where there are some."""
    headers = [("content-type", JSON), ("cache-control", "no-store"), *further]
    if refused.status == 401:  # noqa: PLR2004 - RFC 9110 15.5.2 asks for the header
        headers.append(("www-authenticate", "Bearer"))
    if refused.retry_after_s is not None:
        headers.append(("retry-after", str(refused.retry_after_s)))
    said = Refusal(error=str(refused), advice=refused.advice, path=refused.path)
    # At its default `wires` is left out, and the reader's default may be another one.
    body = msgspec.to_builtins(said) | {"wires": WIRE_VERSIONS}
    return Reply(refused.status, headers, _encode(body))


def unreadable(error: msgspec.DecodeError) -> RequestRefused:
    """The refusal for a body that is no JSON (400) or not the promised message (422)."""
    if not isinstance(error, msgspec.ValidationError):
        return _no_json()
    match = _PLACE.match(str(error))
    what, path = match.group("what", "path") if match else (str(error), None)
    return RequestRefused(
        f"the body is not the message that this call takes: {what}",
        advice=f"send what /schema describes, in one of the wire versions {_versions()}",
        status=422,
        path=path or "$",
    )


def too_large(max_bytes: int) -> RequestRefused:
    """The refusal for a body over its limit."""
    return RequestRefused(
        f"the body is larger than {max_bytes} bytes",
        advice="send less; this limit does not depend on the machine",
        status=413,
    )


def too_slow(timeout_s: float) -> RequestRefused:
    """The refusal for a body that did not arrive in time."""
    return RequestRefused(
        f"the body did not arrive within {timeout_s:g} s", advice="send it again", status=408
    )


def cut_off() -> RequestRefused:
    """The refusal for a body that ended before its end."""
    return RequestRefused(
        "the body ended before its announced length", advice="send it again, whole", status=400
    )


def not_json() -> RequestRefused:
    """The refusal for a body that says to be something else."""
    return RequestRefused(
        "the body does not say that it is JSON",
        advice=f"send it with Content-Type: {JSON}",
        status=415,
    )


def not_signed_in(who: str) -> RequestRefused:
    """The refusal for a request without a token.

    Args:
        who: Whose token is needed: ``machine``, ``viewer`` or ``operator``.
    """
    made = {
        "machine": "parity-agent enrol",
        "viewer": "parity-server token",
        "operator": "parity-server token create NAME --operator",
    }[who]
    return RequestRefused(
        f"this call needs a {who} token",
        advice=f"send Authorization: Bearer TOKEN; {made} makes one",
        status=401,
    )


def not_an_operator() -> RequestRefused:
    """The refusal for a change that a viewer asks for."""
    return RequestRefused(
        "this call changes something, and a viewer's token only reads",
        advice="use an operator's: parity-server token create NAME --operator makes one",
        status=403,
    )


def of(error: Exception) -> RequestRefused:
    """The refusal that an error becomes, whoever raised it; a bug of ours is a 500."""
    if isinstance(error, RequestRefused):
        return error
    if isinstance(error, StoreError):
        return RequestRefused(
            str(error), advice="ask again later", status=503, retry_after_s=BUSY_RETRY_AFTER_S
        )
    if isinstance(error, ValidationException):
        return _bad_parameter(error)
    if isinstance(error, HTTPException) and error.status_code < 500:  # noqa: PLR2004 - ours begin there
        return by_status(error.status_code)
    return by_status(500)


def by_status(status: int) -> RequestRefused:
    """The refusal for a status of which no more is known."""
    text, advice = _BY_STATUS.get(status, ("the request cannot be answered", "see /schema"))
    return RequestRefused(text, advice=advice, status=status)


def _no_json() -> RequestRefused:
    return RequestRefused(
        "the body is not JSON", advice="send one JSON object in UTF-8", status=400
    )


def _bad_parameter(error: ValidationException) -> RequestRefused:
    first = error.extra[0] if isinstance(error.extra, list) and error.extra else {}
    if first.get("key") == "data":
        return _no_json()  # Litestar's word for the body; an empty one is not even decoded
    path = f"query.{first['key']}" if "key" in first else None
    return RequestRefused(
        f"a parameter cannot be used: {first.get('message', 'see its description')}",
        advice="give it as /schema describes it",
        status=422,
        path=path,
    )


def _versions() -> str:
    return ", ".join(str(version) for version in WIRE_VERSIONS)
