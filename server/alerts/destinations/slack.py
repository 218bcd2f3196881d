"""Slack, by the address of an incoming webhook.

The address is a secret: who knows it can post. It must be ``https`` (``http`` on loopback
only), it is followed nowhere else, and no log line or error text holds it; what the other
side answers is repeated only where it is one of Slack's own error words.

slack-sdk's client follows redirects, reads answers of any size and logs the address when
it is set to debug. So its one method that opens a connection is replaced, its logger is
mute, and it has no retry handlers: the outbox tries again, across restarts too.
"""

import email.message
import http.client
import logging
import re
import ssl
from ipaddress import ip_address
from typing import NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, urlsplit
from urllib.request import (
    BaseHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
)

from slack_sdk.webhook import WebhookClient, WebhookResponse

from server.alerts import block_kit
from server.alerts.destinations.interface import Kind
from server.alerts.messages import Message
from server.errors import DeliveryError, SettingsError
from server.setting_values import Secret

TIMEOUT_S = 10
"""Longest wait for a connection or the next bytes of an answer, in seconds."""

ANSWER_MAX_BYTES = 4_096
"""Most of an answer that is read, in bytes; Slack's are one word."""

RETRY_AFTER_MAX_S = 3_600
"""Longest wait that an answer can impose, in seconds."""

_ERROR_WORD = re.compile(r"[a-z_]{1,60}")
_WORTH_ANOTHER_TRY = frozenset({408, 425, 429})


class Slack:
    """One channel, behind one incoming webhook.

    Args:
        address: Of the webhook.

    Raises:
        SettingsError: The address is none that a message may be sent to.
    """

    name = "slack"

    def __init__(self, address: Secret) -> None:
        parts = _checked(address.value)
        self._client = _Client(address.value, _opener(parts))

    def send(self, message: Message) -> None:
        """Posts one message.

        Raises:
            DeliveryError: As `interface.Destination.send`.
        """
        rendered = block_kit.render(message)
        try:
            answer = self._client.send(text=rendered.text, blocks=rendered.blocks)
        except (OSError, http.client.HTTPException, ValueError) as error:
            # Python's own texts may quote the address: neither they nor a chain leave here.
            raise _unreachable(error) from None
        if not 200 <= answer.status_code < 300:  # noqa: PLR2004 - RFC 9110 section 15.3
            _refused(answer)


class _Client(WebhookClient):
    def __init__(self, url: str, opener: OpenerDirector) -> None:
        mute = logging.getLogger(f"{__name__}.mute")
        mute.setLevel(logging.CRITICAL + 1)
        super().__init__(url, timeout=TIMEOUT_S, logger=mute, retry_handlers=[])
        self._opener = opener

    def _perform_http_request_internal(
        self,
        url: str,  # noqa: ARG002 - the signature is slack-sdk's
        req: Request,
    ) -> WebhookResponse:
        try:
            with self._opener.open(req, timeout=self.timeout) as answer:
                return _response(answer.status, answer.read(ANSWER_MAX_BYTES), answer.headers)
        except HTTPError as error:
            with error:
                return _response(error.code, error.read(ANSWER_MAX_BYTES), error.headers)


def _response(status: int, body: bytes, headers: email.message.Message) -> WebhookResponse:
    text = body.decode("utf-8", errors="replace")
    names = {name.lower(): value for name, value in headers.items()}
    return WebhookResponse(url="(not shown)", status_code=status, body=text, headers=names)


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Follows none: the answer is then told as the error that it is."""


def _opener(parts: SplitResult) -> OpenerDirector:
    handlers: list[BaseHandler] = [
        _NoRedirects(),
        HTTPSHandler(context=ssl.create_default_context()),
    ]
    if _is_loopback(parts.hostname or ""):
        handlers.append(ProxyHandler({}))
    return build_opener(*handlers)


def _checked(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        _unusable("is not an address")
    if not address.isascii() or not address.isprintable() or " " in address or "@" in parts.netloc:
        _unusable("is not an address")
    if not host or parts.scheme not in {"https", "http"}:
        _unusable("is not an https address")
    if parts.scheme == "http" and not _is_loopback(host):
        _unusable("would send alerts unencrypted")
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _unusable(why: str) -> NoReturn:
    # Raised outside any handler, so that no chained text can quote the address.
    raise SettingsError(
        f"slack_webhook_url {why}",
        advice="copy the webhook's whole address from Slack: https://hooks.slack.com/services/...",
    ) from None


def _unreachable(error: Exception) -> DeliveryError:
    cause = error.reason if isinstance(error, URLError) else error
    why = getattr(cause, "strerror", None) or type(cause).__name__
    return DeliveryError(
        f"slack could not be reached: {why}",
        advice="check that this server may connect to the webhook's host; it is tried again",
    )


def _refused(answer: WebhookResponse) -> NoReturn:
    status = answer.status_code
    word = answer.body.strip()
    told = f"{status} {word}" if _ERROR_WORD.fullmatch(word) else str(status)
    if status in _WORTH_ANOTHER_TRY or status >= 500:  # noqa: PLR2004 - RFC 9110 section 15.6
        raise DeliveryError(
            f"slack put the message off: {told}",
            advice="nothing to do: it is tried again",
            retry_after_s=_retry_after(answer.headers.get("retry-after", "")),
        )
    raise DeliveryError(
        f"slack refused the message: {told}",
        advice="make a new incoming webhook in Slack, set slack_webhook_url to it and restart;"
        " until then it is tried again every hour",
        permanent=True,
    )


def _retry_after(value: str) -> float | None:
    digits = value.strip()
    if not digits.isascii() or not digits.isdigit():
        return None
    return float(min(int(digits[:9]), RETRY_AFTER_MAX_S))


DESTINATION = Kind(name="slack", open_at=Slack)
