"""``parity-agent doctor`` at work: looks and asks, changes nothing.

To the server go two ``GET`` requests and nothing more, and in a pause not even these. What each
thing seen means is `agent.examination`'s; one check that cannot be made does not keep the next
from being made.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from http import HTTPStatus
from pathlib import Path

import msgspec

from agent import (
    __version__,
    answers,
    examination,
    identity,
    lock,
    platforms,
    route,
    service,
)
from agent import settings as settings_module
from agent.claude_config import layers
from agent.errors import AgentError
from agent.examination import Examined, StateFolder
from agent.host import Host
from agent.identity import Identity
from agent.pause import Pause
from agent.pause_file import Pauses
from agent.platforms import mounts
from agent.settings import Settings
from agent.transport import Looked, Transport
from agent.wire import WIRE_VERSIONS


@dataclass(frozen=True)
class Asked:
    """What is examined.

    Attributes:
        settings: As read.
        environment: The variables of the process.
        config: The settings file, if an option names one.
        clock: Epoch seconds.
    """

    settings: Settings
    environment: Mapping[str, str]
    config: Path | None = None
    clock: Callable[[], float] = time.time


class _Info(msgspec.Struct):
    version: str


class _Wires(msgspec.Struct):
    default: tuple[int, ...]


class _Properties(msgspec.Struct):
    wires: _Wires


class _Enrolled(msgspec.Struct):
    properties: _Properties


class _Schemas(msgspec.Struct):
    enrolled: _Enrolled = msgspec.field(name="Enrolled")


class _Components(msgspec.Struct):
    schemas: _Schemas


class _Schema(msgspec.Struct):
    # Of the server's OpenAPI document: its version, and the wire versions that it reads.
    info: _Info
    components: _Components

    @property
    def wires(self) -> tuple[int, ...]:
        return self.components.schemas.enrolled.properties.wires.default


def everything(asked: Asked) -> Iterator[Examined]:
    """Every check in turn, as it is made: reaching a server can take a while."""
    settings = asked.settings
    place, _ = settings_module.place(asked.environment, asked.config)
    changed = _changed(settings)
    yield examination.of_settings(str(place), exists=place.is_file(), changed=changed)
    # In the order in which what is amiss has to be mended: nothing works without these two.
    yield examination.of_state(_state_folder(settings.state_dir))
    who, told = _enrolment(settings)
    yield told
    pause, untold = _pause(asked)
    yield from untold
    is_left_alone = pause is not None or bool(untold)
    if not is_left_alone:
        yield from _reading(asked)
    yield from _running(asked, is_paused=pause is not None)
    url = who.server_url if who else settings.server_url
    if url is not None:
        yield from examination.of_route(route.of(settings, url, asked.environment))
        if not is_left_alone:
            yield from _server(asked, url, who)


def _changed(settings: Settings) -> list[str]:
    usual = Settings()
    names = (each.name for each in fields(Settings))
    return [name for name in names if getattr(settings, name) != getattr(usual, name)]


def _reading(asked: Asked) -> Iterator[Examined]:
    settings = asked.settings
    host = platforms.live(
        home=settings.home,
        system_root=settings.system_root,
        environment=asked.environment,
        process_roots=settings.process_roots,
    )
    yield examination.of_home(str(host.home), _problem(lambda: host.listdir(host.home)))
    read = layers.read(host)
    files = {source.file for source in read.sources if source.file is not None}
    yield examination.of_configuration(len(files), [each.reason for each in read.problems])
    yield _processes(host) if settings.scan_processes else examination.of_processes(None, "")


def _processes(host: Host) -> Examined:
    try:
        return examination.of_processes(len(host.processes()), "")
    except OSError as error:
        return examination.of_processes(None, _reason(error))


def _state_folder(path: Path) -> StateFolder:
    there = next((each for each in (path, *path.parents) if each.exists()), path)
    kind = mounts.kind_of(there)
    try:
        owner, free = there.stat().st_uid, shutil.disk_usage(there).free
    except OSError:
        owner, free = None, None
    is_mine = owner == os.getuid() if owner is not None and hasattr(os, "getuid") else None
    return StateFolder(
        path=str(path),
        exists=there == path,
        # The folder that it would be made in may well be another's.
        is_mine=is_mine if there == path else None,
        is_writable=_is_writable(there) and not (kind and mounts.is_kernels(kind)),
        free_bytes=free,
        kind=kind,
        is_shared=kind is not None and mounts.is_network(kind),
    )


def _is_writable(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def _pause(asked: Asked) -> tuple[Pause | None, tuple[Examined, ...]]:
    try:
        pause = Pauses(asked.settings.state_dir).seen(int(asked.clock()))
    except AgentError as error:
        # Whoever may have asked to be left alone is.
        return None, (examination.failed("pause", error),)
    return pause, (examination.of_pause(pause),) if pause else ()


def _running(asked: Asked, *, is_paused: bool) -> Iterator[Examined]:
    try:
        running = lock.is_held(asked.settings.state_dir / "daemon.lock")
        yield examination.of_daemon(is_running=running, is_paused=is_paused)
    except AgentError as error:
        yield examination.failed("daemon", error)
    try:
        found = service.of(asked.settings, asked.environment, config=asked.config).status()
    except AgentError as error:
        yield Examined("service", "warn", str(error), error.advice)
        return
    yield examination.of_service(
        is_installed=found.is_installed, is_current=found.is_current, file=str(found.file)
    )


def _enrolment(settings: Settings) -> tuple[Identity | None, Examined]:
    try:
        who = identity.load(settings.state_dir)
    except AgentError as error:
        return None, examination.failed("enrolment", error)
    if who is None:
        advice = f"run: parity-agent enrol --server {settings.server_url or 'https://...'}"
        return None, Examined("enrolment", "fail", "this machine is not enrolled", advice)
    seen = f"{who.label} in the group {who.group} at {who.server_url}"
    return who, Examined("enrolment", "ok", seen)


def _server(asked: Asked, url: str, who: Identity | None) -> Iterator[Examined]:
    token = who.token if who else None
    try:
        with Transport(asked.settings, url, token) as transport:
            looked = transport.look("schema")
            mine = transport.look("v1/machines/me") if who else None
    except AgentError as error:
        yield examination.failed("server", error)
        return
    now = asked.clock()
    ends_at, clock = looked.certificate_ends_at, looked.server_clock
    yield Examined("server", "ok", f"{url} answers")
    left_s = None if ends_at is None else ends_at - now
    yield examination.of_certificate(left_s, is_shown=url.startswith("https:"))
    yield examination.of_clock(None if clock is None else now - clock)
    yield _versions(looked)
    if mine is not None:
        yield _token(mine)


def _versions(looked: Looked) -> Examined:
    try:
        theirs = msgspec.json.decode(looked.answer.body, type=_Schema)
    except msgspec.DecodeError:
        return examination.of_versions(__version__, None, None)
    common = [each for each in WIRE_VERSIONS if each in theirs.wires]
    return examination.of_versions(__version__, theirs.info.version, common)


def _token(mine: Looked) -> Examined:
    status = mine.answer.status
    view = answers.view(mine.answer.body) if status == HTTPStatus.OK else None
    if view is not None:
        return Examined(
            "token", "ok", f"the server knows this machine; it stands as {view.standing}"
        )
    if status == HTTPStatus.UNAUTHORIZED:
        return Examined("token", "fail", "the server does not accept it", answers.ENROL_AGAIN)
    advice = "check the server's address, or ask your operator"
    return Examined("token", "fail", f"the server answered {status} to it", advice)


def _problem(look: Callable[[], object]) -> str:
    try:
        look()
    except OSError as error:
        return _reason(error)
    return ""


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
