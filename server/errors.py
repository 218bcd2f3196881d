"""What can go wrong on the server: one tree, each error with one line of advice.

Two families, never mixed: a `ServerError` is the world's fault and tells the reader what
to do; a plain Python error is a bug of ours. Only ``cli.py`` prints and exits; only
``app.py`` turns a `RequestRefused` into an answer.
"""


class ServerError(Exception):
    """Something outside the server stands in the way.

    Attributes:
        advice: One line that says what to do about it.
    """

    def __init__(self, message: str, *, advice: str) -> None:
        super().__init__(message)
        self.advice = advice


class SettingsError(ServerError):
    """A settings file or variable has a value that cannot be used."""


class ListenError(ServerError):
    """The address cannot be listened on."""


class StoreError(ServerError):
    """The database cannot be opened, read or written."""


class SourceError(ServerError):
    """A release source gave no usable answer.

    Attributes:
        retry_after_s: Seconds the source asked to wait, where it did.
    """

    def __init__(self, message: str, *, advice: str, retry_after_s: float | None = None) -> None:
        super().__init__(message, advice=advice)
        self.retry_after_s = retry_after_s


class DeliveryError(ServerError):
    """A message did not reach its destination.

    Attributes:
        permanent: Sending it again cannot help: the address or the message is wrong.
        retry_after_s: Seconds the destination asked to wait, where it did.
    """

    def __init__(
        self,
        message: str,
        *,
        advice: str,
        permanent: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, advice=advice)
        self.permanent = permanent
        self.retry_after_s = retry_after_s


class RequestRefused(ServerError):  # noqa: N818 - the word of the protocol
    """A request cannot be answered as it was asked: becomes a `agent.wire.Refusal`.

    Attributes:
        status: The HTTP status, 400 to 599.
        path: The offending place in the body, where there is one.
        retry_after_s: Seconds after which to ask again, where that helps.
    """

    def __init__(
        self,
        message: str,
        *,
        advice: str,
        status: int,
        path: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message, advice=advice)
        self.status = status
        self.path = path
        self.retry_after_s = retry_after_s
