"""What a simulated laptop remembers, and what the server must hold of it: values alone."""

from dataclasses import dataclass

from agent.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Said:
    """What a check-in was made of that has no answer yet.

    Attributes:
        seq: Its number.
        clock: The laptop's clock then.
        wire: The version spoken.
        is_new: It names the profile with the release.
        used: Counts of use that it tells.
    """

    seq: int
    clock: int
    wire: int
    is_new: bool
    used: int


class Laptop:
    """One simulated laptop.

    Attributes:
        x: Where its exchange stands.
        epoch: Of its journal.
        seq: The last number drawn in this epoch.
        sent: The check-in without an answer.
        is_new: It runs the release.
        used: Counts of use not acknowledged.
        acked_epoch: The epoch of the last acknowledged check-in.
        acked: The number of that; 0 before the first.
        acked_new: It named the profile with the release.
    """

    __slots__ = (
        "acked",
        "acked_epoch",
        "acked_new",
        "epoch",
        "is_new",
        "sent",
        "seq",
        "used",
        "x",
    )

    def __init__(self, x: Exchange, epoch: str, seq: int) -> None:
        self.x = x
        self.epoch = epoch
        self.seq = seq
        self.sent: Said | None = None
        self.is_new = False
        self.used = 0
        self.acked_epoch = epoch
        self.acked = 0
        self.acked_new = False


@dataclass(frozen=True, slots=True)
class Claim:
    """What a laptop says that the server must hold.

    Attributes:
        acked_epoch: The epoch of its last acknowledged check-in.
        acked: The number of that; 0 if none ever was.
        epoch: Its present epoch.
        seq: The last number that it sent in that.
        profile: The digest that it named last, if everything that it sent is acknowledged.
    """

    acked_epoch: str
    acked: int
    epoch: str
    seq: int
    profile: str | None
