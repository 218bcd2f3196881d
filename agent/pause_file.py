"""The pause of one state folder, on disk.

``pause.json`` is there while a pause lasts and survives restarts; whatever sees that it is
over removes it. Each change holds a lock of its own, for milliseconds: a pause is asked for
while a cycle may be under way.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from agent import lock, state_files
from agent.pause import Pause

_LOCK_TIMEOUT_S = 10.0
"""Seconds to wait for another process that changes the pause."""


class Pauses:
    """The pause of one state folder."""

    def __init__(self, state_dir: Path) -> None:
        """Reads nothing yet."""
        self.file = state_dir / "pause.json"
        self._lock = state_dir / "pause.lock"

    def current(self, now: int) -> Pause | None:
        """The pause that lasts at `now`; one that is over is removed.

        Raises:
            AgentError: The state folder cannot be used.
        """
        kept = self._kept()
        if kept is None or kept.at(now) == kept:
            return kept
        with self._changing():
            return self._settled(now)

    def seen(self, now: int) -> Pause | None:
        """As `current`, for those who change nothing: one that is over stays where it is.

        Raises:
            AgentError: The file cannot be read.
        """
        kept = self._kept()
        return kept.at(now) if kept else None

    def begin(self, now: int, length_s: int) -> Pause:
        """Keeps a pause from now on, in place of any earlier one.

        Raises:
            AgentError: The state folder cannot be used.
        """
        pause = Pause(now, now + length_s)
        with self._changing():
            state_files.replace(self.file, pause)
        return pause

    def end(self) -> None:
        """Ends the pause, where there is one; a damaged file goes too.

        Raises:
            AgentError: The state folder cannot be used.
        """
        with self._changing():
            state_files.remove(self.file)

    def told(self, until: int) -> None:
        """The server has acknowledged the pause that ends then.

        Raises:
            AgentError: The state folder cannot be used.
        """
        self._mark(until, is_told=True)

    def tell_again(self) -> None:
        """Another server, or another machine on it, has not been told.

        Raises:
            AgentError: The state folder cannot be used.
        """
        self._mark(None, is_told=False)

    def _mark(self, until: int | None, *, is_told: bool) -> None:
        with self._changing():
            kept = self._kept()
            # Asked anew meanwhile, it is not the one that was told of.
            if kept is not None and until in {None, kept.until}:
                state_files.replace(self.file, replace(kept, is_told=is_told))

    def _settled(self, now: int) -> Pause | None:
        kept = self._kept()
        settled = kept.at(now) if kept else None
        if settled is None:
            state_files.remove(self.file)
        elif settled != kept:
            state_files.replace(self.file, settled)
        return settled

    def _kept(self) -> Pause | None:
        return state_files.load(self.file, Pause, then="parity-agent resume")

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with lock.held(self._lock, timeout_s=_LOCK_TIMEOUT_S, holder="another command"):
            yield
