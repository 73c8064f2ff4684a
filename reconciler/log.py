"""
The log of a run, for a person (`--verbose`) or for a program (`RECONCILER_LOG=json`): requests, plans, steps, ends.

Off unless asked for, and not even imported then. Every text is masked and made safe for a terminal; headers and bodies
never get here. A log that cannot be written is given up with one warning: it never fails a run.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from reconciler.model.outcome import Progress
from reconciler.model.time import iso
from reconciler.platforms.exchange import Exchange
from reconciler.platforms.redact import Redactor, escaped

FORM = "RECONCILER_LOG"
FILE = "RECONCILER_LOG_FILE"
_LONGEST = 2000
EVERY = {"run": "the id of this run of the command, the same in its audit record", "time": "UTC", "event": "see above"}
_REQUEST = {
    "n": "the number of the request in this run, from 1",
    "key": "the experiment that is being changed",
    "connection": "through which connection of the project file",
    "method": "the HTTP method",
    "host": "the host asked",
    "path": "the path, secrets masked",
    "query": "the query, secrets masked",
    "status": "the status of the answer; not there when none came",
    "ms": "how long it took, in milliseconds",
    "requestId": "the id that the platform gave the request: `x-li-uuid`, `x-transaction-id`, …",
    "headers": "header fields of the answer that may be shown: `x-restli-id`, quotas, `retry-after`",
    "attempt": "how often this request went out, from 1",
    "write": "whether it changes something",
    "error": "why there is no answer",
}
FACTS: dict[str, dict[str, str]] = {
    "begin": {
        "command": "the command",
        "version": "of this tool",
        "environment": "of the project",
        "pid": "the process",
        "tracing": "what became of a wish for OpenTelemetry spans",
    },
    "token": _REQUEST,
    "request": _REQUEST,
    "plan": {
        "digest": "SHA-256 of the plan as `plan --out` saves it",
        "complete": "whether everything could be read",
        "serial": "of the state that it was made from",
        "summary": "how many changes of each action",
    },
    "step": {"key": "the experiment", "message": "what is done now"},
    "outcome": {
        "key": "the experiment",
        "action": "what was to be done",
        "result": "what became of it",
        "calls": "how many were sent",
        "remoteId": "the platform's id",
        "message": "why, where it failed",
    },
    "end": {"ms": "how long the command took, in milliseconds"},
}
"""What each event may tell, with its meaning: nothing else gets into a log, whatever the code hands over."""


def utc_now() -> datetime:
    """Give the time as of now."""
    return datetime.now(UTC)


class Log:
    """
    Writes one line for each event to `stream`, as text or as a JSON object.

    A stream that is `owned` is closed at the end. `redact` learns the secrets of every connection that is opened.
    `warn` is told once when lines cannot be written.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        as_json: bool,
        owned: bool = False,
        run: str = "",
        now: Callable[[], datetime] = utc_now,
        warn: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self.redact = Redactor()
        self._run = run
        self._stream = stream
        self._as_json = as_json
        self._owned = owned
        self._now = now
        self._warn = warn
        self._broken = False
        self._lock = threading.Lock()

    def event(self, name: str, **facts: Any) -> None:
        """Write an event with its facts; those that are None or empty text are left out."""
        allowed = FACTS.get(name, {})
        told = {
            key: self._safe(value)
            for key, value in facts.items()
            if key in allowed and value is not None and value not in ("", {})
        }
        moment = iso(self._now().replace(microsecond=0))
        if self._as_json:
            self._write(json.dumps({"time": moment, "run": self._run, "event": name, **told}))
        else:
            words = " ".join(f"{key}={_shown(value)}" for key, value in told.items())
            self._write(f"{moment} {name} {words}".rstrip())

    def exchange(self, sent: Exchange, number: int) -> None:
        """Write a request and what came of it."""
        if self._as_json:
            self.event(
                "token" if sent.token else "request",
                n=number,
                key=sent.key,
                headers=dict(sent.told),
                connection=sent.connection,
                method=sent.method,
                host=sent.host,
                path=sent.path,
                query=sent.query,
                status=sent.status,
                ms=sent.ms,
                requestId=sent.request_id,
                attempt=sent.attempt,
                write=sent.write,
                error=sent.error,
            )
            return
        target = f"{sent.path}?{sent.query}" if sent.query else sent.path
        answer = f"HTTP {sent.status}" if sent.status is not None else f"no answer ({sent.error})"
        again = f", attempt {sent.attempt}" if sent.attempt > 1 else ""
        request_id = f", request id {sent.request_id}" if sent.request_id else ""
        line = f"{sent.connection}: {sent.method} {target}: {answer} in {sent.ms:.0f} ms{again}{request_id}"
        self._write(f"{iso(self._now().replace(microsecond=0))} {self._safe(line)}")

    def progress(self, progress: Progress) -> None:
        """Write a step of an apply, or the end of a change."""
        end = progress.outcome
        if end is None:
            self.event("step", key=str(progress.key), message=progress.message)
            return
        self.event(
            "outcome",
            key=str(progress.key),
            action=end.action.value,
            result=end.result.value,
            calls=end.calls_sent,
            remoteId=end.remote_id,
            message=end.message,
        )

    def close(self) -> None:
        """Give back the file, where it is one."""
        with contextlib.suppress(OSError, ValueError):
            if self._owned:
                self._stream.close()

    def _safe(self, value: Any) -> Any:
        if isinstance(value, str):
            return escaped(self.redact(value))[:_LONGEST]
        if isinstance(value, Mapping):
            return {str(key): self._safe(inner) for key, inner in value.items()}
        return value

    def _write(self, line: str) -> None:
        if self._broken:
            return
        try:
            with self._lock:
                self._stream.write(line + "\n")
                self._stream.flush()
        except (OSError, ValueError) as error:
            self._broken = True
            self._warn(f"the log cannot be written and is given up: {error}")


def wanted(verbose: bool, environ: Mapping[str, str]) -> bool:
    """Tell whether a log is asked for: by `--verbose`, or by one of the two variables."""
    return verbose or bool(environ.get(FORM) or environ.get(FILE))


def open_log(stderr: TextIO, environ: Mapping[str, str], warn: Callable[[str], None], run: str = "") -> Log:
    """
    Give the log: to the file of RECONCILER_LOG_FILE, else to standard error; JSON with RECONCILER_LOG=json.

    A file gets JSON unless RECONCILER_LOG says `text`. It is made for its owner alone and appended to; where it cannot
    be opened, a warning says so and standard error is used.
    """
    form, name = environ.get(FORM, "").strip().lower(), environ.get(FILE, "")
    if form not in ("", "json", "text"):
        warn(f"{FORM}={form} is neither json nor text; text is taken")
    if name:
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            stream = os.fdopen(os.open(Path(name), flags, 0o600), "a", encoding="utf-8")
            return Log(stream, as_json=form in ("", "json"), owned=True, run=run, warn=warn)
        except OSError as error:
            warn(f"{FILE}: {name} cannot be written ({error.strerror}); the log goes to standard error")
    return Log(stderr, as_json=form == "json", run=run, warn=warn)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value if value and not any(mark in value for mark in " =\"'") else json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)
