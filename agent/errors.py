"""What can go wrong on the laptop: one tree, each error with one line of advice.

Two families, never mixed (as python-tuf keeps them): an `AgentError` is the world's
fault and tells the reader what to do; a plain Python error is a bug of ours. Only
``cli.py`` prints and exits.
"""


class AgentError(Exception):
    """Something outside the agent stands in the way.

    Attributes:
        advice: One line that says what to do about it.
    """

    def __init__(self, message: str, *, advice: str) -> None:
        super().__init__(message)
        self.advice = advice


class SettingsError(AgentError):
    """A settings file or variable has a value that cannot be used."""


class IdentityError(AgentError):
    """This machine is not enrolled, or its identity cannot be read or kept."""


class JournalError(AgentError):
    """The journal cannot be read or written."""


class PausedError(AgentError):
    """This laptop's user asked for a pause: nothing is looked at while it lasts."""


class ExchangeError(AgentError):
    """The server gave no usable answer, or refused.

    Attributes:
        status: The HTTP status, or None when no answer came.
        retry_after_s: Seconds the server asked to wait, where it did.
    """

    def __init__(
        self,
        message: str,
        *,
        advice: str,
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, advice=advice)
        self.status = status
        self.retry_after_s = retry_after_s
