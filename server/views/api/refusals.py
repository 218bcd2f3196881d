"""How a refusal is told: always a `agent.wire.Refusal`, always with what to do.

Whatever goes wrong with a request ends here, so a client needs one reader for every answer
of 400 and above. What a client sent is not repeated, except the place in its body.
"""

import re
from dataclasses import dataclass

import msgspec

from agent.wire import WIRE_VERSIONS, Refusal
from server.errors import RequestRefused

JSON = "application/json"

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


def told(refused: RequestRefused) -> Reply:
    """The answer for a refused request."""
    headers = [("content-type", JSON), ("cache-control", "no-store")]
    if refused.status == 401:  # noqa: PLR2004 - RFC 9110 15.5.2 asks for the header
        headers.append(("www-authenticate", "Bearer"))
    if refused.retry_after_s is not None:
        headers.append(("retry-after", str(refused.retry_after_s)))
    body = Refusal(error=str(refused), advice=refused.advice, path=refused.path)
    return Reply(refused.status, headers, _encode(body))


def unreadable(error: msgspec.DecodeError) -> RequestRefused:
    """The refusal for a body that is no JSON (400) or not the promised message (422)."""
    if not isinstance(error, msgspec.ValidationError):
        return RequestRefused(
            "the body is not JSON", advice="send one JSON object in UTF-8", status=400
        )
    match = _PLACE.match(str(error))
    what, path = match.group("what", "path") if match else (str(error), None)
    return RequestRefused(
        f"the body is not the message that this call takes: {what}",
        advice=f"send what /schema describes, in one of the wire versions {_versions()}",
        status=422,
        path=path or "$",
    )


def unknown_wire(wire: int) -> RequestRefused:
    """The refusal for a message in a wire version that this server does not read."""
    return RequestRefused(
        f"wire version {wire} is not read here",
        advice=f"speak one of the wire versions {_versions()}",
        status=422,
        path="$.wire",
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
        who: Whose token is needed: ``machine`` or ``viewer``.
    """
    made = {"machine": "parity-agent enrol", "viewer": "parity-server token"}[who]
    return RequestRefused(
        f"this call needs a {who} token",
        advice=f"send Authorization: Bearer TOKEN; {made} makes one",
        status=401,
    )


def bug() -> RequestRefused:
    """The refusal for a mistake of ours; the log has its traceback."""
    return RequestRefused(
        "the server made a mistake", advice="tell its operator to read the log", status=500
    )


def _versions() -> str:
    return ", ".join(str(version) for version in WIRE_VERSIONS)
