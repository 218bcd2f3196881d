"""What an alert destination is: something that one message can be sent to.

It keeps no queue and never tries again by itself: the outbox does, so that a restart
loses nothing. What it raises says whether trying again can help.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from server.alerts.messages import Message
from server.setting_values import Secret


class Destination(Protocol):
    """Where messages go.

    Attributes:
        name: Of its kind: ``slack``.
    """

    @property
    def name(self) -> str:
        """The name of its kind."""
        ...

    def send(self, message: Message) -> None:
        """Sends one message, within a bounded time.

        Raises:
            DeliveryError: It did not arrive, or nobody knows whether it did. The text
                holds nothing secret.
        """
        ...


@dataclass(frozen=True)
class Kind:
    """One kind of destination.

    Attributes:
        name: The module's name.
        open_at: Makes one for an address; raises `server.errors.SettingsError` for an
            address that it cannot use.
    """

    name: str
    open_at: Callable[[Secret], Destination]
