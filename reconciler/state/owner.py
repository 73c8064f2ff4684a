"""Who holds the lock: enough for another person to find the run, and to see that it is dead."""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from reconciler.errors import StateProblem
from reconciler.model.time import iso, parse_time

# The address of the run, from the variables that each CI system documents, the most telling first.
_CI_URLS = ("CI_JOB_URL", "BUILDKITE_BUILD_URL", "CIRCLE_BUILD_URL", "TRAVIS_BUILD_WEB_URL", "BUILD_URL")
_MAX_TEXT = 300


@dataclass(frozen=True)
class Owner:
    """One run: `host`, `pid`, `user`, `command`, when it started (aware), and its CI run where there is one."""

    host: str
    pid: int
    user: str
    command: str
    started_at: datetime
    ci_run: str = ""

    def is_dead(self) -> bool:
        """Tell whether the process is known to be gone: it ran on this host and is no more. Elsewhere: not known."""
        if self.host != socket.gethostname():
            return False
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, OverflowError):
            return True
        except PermissionError:
            return False
        return False

    def described(self, now: datetime) -> str:
        """Give who, where, what and since when, in one line."""
        run = f", CI run {_shown(self.ci_run)}" if self.ci_run else ""
        since = f"for {age((now - self.started_at).total_seconds())} (since {iso(self.started_at)})"
        return (
            f"{_shown(self.user) or 'somebody'} on {_shown(self.host)} (pid {self.pid}{run}), "
            f'running "{_shown(self.command)}" {since}'
        )

    def to_json(self) -> dict[str, Any]:
        """Give the JSON form."""
        values = {
            "host": self.host,
            "pid": self.pid,
            "user": self.user,
            "command": self.command,
            "startedAt": iso(self.started_at),
            "ciRun": self.ci_run,
        }
        return {name: value for name, value in values.items() if value != ""}

    @classmethod
    def from_json(cls, values: Any) -> Owner:
        """Read the JSON form; raises ValueError when it is not one."""
        if not isinstance(values, dict) or type(values.get("pid")) is not int or values["pid"] <= 0:
            raise ValueError("not an owner")
        texts = {name: values.get(name, "") for name in ("host", "user", "command", "startedAt", "ciRun")}
        if not all(isinstance(text, str) for text in texts.values()):
            raise ValueError("not an owner")
        started_at = parse_time(texts["startedAt"])
        return cls(texts["host"], values["pid"], texts["user"], texts["command"], started_at, texts["ciRun"])


def owner_of(environ: Mapping[str, str], *, command: str, now: datetime, pid: int | None = None) -> Owner:
    """Give the owner that this process is: user and CI run from `environ`, host and pid from the system."""
    user = environ.get("USER") or environ.get("LOGNAME") or environ.get("USERNAME") or _system_user()
    return Owner(socket.gethostname(), os.getpid() if pid is None else pid, user, command, now, ci_run(environ))


def _system_user() -> str:
    """Give the name that the system knows this process by; empty where it knows none (a bare container)."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return ""


def ci_run(environ: Mapping[str, str]) -> str:
    """Give the address (or at least the number) of the CI run that the variables tell of; empty outside CI."""
    server, repository, run = (environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    if server and repository and run:
        return f"{server}/{repository}/actions/runs/{run}"
    collection, project, build = (
        environ.get(name, "") for name in ("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI", "SYSTEM_TEAMPROJECT", "BUILD_BUILDID")
    )
    if collection and project and build:
        return f"{collection.rstrip('/')}/{project}/_build/results?buildId={build}"
    return next((environ[name] for name in _CI_URLS if environ.get(name)), "")


def age(seconds: float) -> str:
    """Give a duration in words: `a moment`, `40 seconds`, `1 minute`, `3 hours`, `2 days`. Rounded down."""
    whole = max(int(seconds), 0)
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        if whole >= size:
            count = whole // size
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "a moment"


class _Place(Protocol):
    def holder(self) -> str | None: ...


def under_way(store: _Place) -> str | None:
    """Give a sentence on the run that holds a store's lock, for a command that takes none; None when there is none."""
    try:
        holder = store.holder()
    except StateProblem:
        return None  # the read of the state says what is wrong
    if holder is None:
        return None
    return (
        f"another run is under way: {holder}; what follows is as of this moment, between two of its steps: run again "
        "when it has ended"
    )


def _shown(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text[:_MAX_TEXT])
