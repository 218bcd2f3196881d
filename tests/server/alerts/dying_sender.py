"""A sender that is killed while it sends: run as a program by the tests.

Arguments: the database's address, the webhook's address, ``before`` or ``after`` (the
message has left), and now.
"""

import os
import signal
import sys

from sqlalchemy import create_engine

from server.alerts.destinations.slack import Slack
from server.alerts.messages import Message
from server.alerts.sender import Sender
from server.setting_values import Secret
from server.store.writer import Writer


class Dying:
    """Slack, in a process that dies at a chosen moment."""

    name = "slack"

    def __init__(self, slack: Slack, moment: str) -> None:
        self._slack = slack
        self._moment = moment

    def send(self, message: Message) -> None:
        """Dies before or after sending; never returns."""
        if self._moment == "after":
            self._slack.send(message)
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Sends what is due, and dies of it."""
    database, hook, moment, now = sys.argv[1:]
    engine = create_engine(database)
    destination = Dying(Slack(Secret(hook)), moment)
    Sender(engine, Writer(engine), destination, lambda: 0.0).send_due(int(now))


if __name__ == "__main__":
    main()
