"""
The audit record: for each apply who ran it, from which commit, which plan, every call that was sent with its answer,
and what became of it. Lines of JSON in a file beside the state, only ever appended to; where the state is kept in git
or in a bucket, each run's lines are kept there too, when it begins and when it ends.

A run is some lines with the same `run`: `begin`, one `call` for each request that changes something, `end`. A run that
was killed has no `end`. Of a body the digest is kept, of header fields those that Exchange allows. A record that cannot
be written is given up with one warning: it never fails an apply.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from reconciler.errors import StateProblem
from reconciler.model.change import FieldChange, Plan
from reconciler.model.outcome import ApplyResult
from reconciler.model.time import iso
from reconciler.platforms.exchange import Exchange
from reconciler.state.owner import Owner

FORMAT_VERSION = "1.0"
SUFFIX = ".audit.jsonl"
ROTATE_BYTES = 5 * 1024 * 1024
"""A file that is longer is put aside as `….audit.jsonl.1` before a run begins; the one before that is dropped."""
MOST_CHANGES = 10_000
MOST_FIELDS = 200
LONGEST_VALUE = 1_000
"""Characters of JSON; of a value that is longer its digest stands in the record."""
_LONGEST_REF = 4096
Keep = Callable[[str, bytes, str], None]
"""Keeps a run's lines beside a state that is no file: name, lines, a word on it; raises StateProblem."""
# Who set a CI run off, from the variables that each system documents.
_ACTORS = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILDKITE_BUILD_CREATOR", "CIRCLE_USERNAME", "BUILD_REQUESTEDFOR")


def actor_of(environ: Mapping[str, str]) -> str:
    """Give who set the CI run off; empty outside CI and where the system does not say."""
    return next((environ[name][:200] for name in _ACTORS if environ.get(name)), "")


def commit_of(folder: Path) -> str:
    """Give the commit that is checked out where `folder` is; empty outside git. Reads files, runs nothing."""
    try:
        place = next(each / ".git" for each in (folder, *folder.parents) if (each / ".git").exists())
        if place.is_file():  # a worktree or a submodule: the folder is named inside
            named = _line(place).removeprefix("gitdir:").strip()
            place = (place.parent / named).resolve()
        head = _line(place / "HEAD")
        if not head.startswith("ref:"):
            return _hash(head)
        name = head.removeprefix("ref:").strip()
        common = place / "commondir"
        folders = [place, (place / _line(common)).resolve()] if common.exists() else [place]
        for each in folders:
            if (each / name).is_file():
                return _hash(_line(each / name))
            packed = each / "packed-refs"
            if packed.is_file():
                with packed.open(encoding="utf-8") as lines:
                    for line in lines:
                        if line.rstrip("\n").endswith(f" {name}"):
                            return _hash(line.split(" ", 1)[0])
    except (OSError, StopIteration, UnicodeDecodeError):
        pass
    return ""


def _line(path: Path) -> str:
    with path.open(encoding="utf-8") as stream:
        return stream.read(_LONGEST_REF).split("\n", 1)[0].strip()


def _hash(text: str) -> str:
    return text if len(text) in (40, 64) and all(letter in "0123456789abcdef" for letter in text) else ""


class Audit:
    """Writes the record of one run. `warn` is told once when that is not possible."""

    def __init__(
        self,
        path: Path,
        owner: Owner,
        *,
        run: str,
        now: Callable[[], datetime],
        warn: Callable[[str], None],
        keep: Keep | None = None,
        **about: Any,
    ) -> None:
        self.path = path
        self._owner = owner
        self._now = now
        self._warn = warn
        self._about = about
        self._run = run
        self._keep = keep
        self._name = f"{now():%Y%m%dT%H%M%SZ}-{run}"
        self._lines: list[bytes] = []
        self._beginning: dict[str, Any] | None = None
        self._begun = False
        self._given_up = False
        self._lock = threading.Lock()

    def begin(self, made: Plan, digest: str) -> None:
        """Note which plan is carried out; it is written with the first call, or with the end where there is none."""
        changes = [
            {
                "key": str(change.key),
                "action": change.action.value,
                "connection": change.connection,
                **({"remoteId": change.remote_id} if change.remote_id else {}),
                "fields": [_field(each) for each in change.fields[:MOST_FIELDS]],
            }
            for change in made.changes[:MOST_CHANGES]
        ]
        self._beginning = {
            "by": self._owner.to_json(),
            **self._about,
            "plan": {
                "digest": digest,
                "createdAt": iso(made.created_at),
                "environment": made.environment,
                "state": {"lineage": made.state_lineage, "serial": made.state_serial},
                "summary": dict(made.summary),
                "changes": changes,
            },
        }

    def _write_begin(self) -> None:
        if not self._begun and self._beginning is not None:
            self._begun = True
            self._rotate()
            self._append("begin", **self._beginning)
            self._keep_there("apply: begun")

    def started(self) -> None:
        """Write who began with what: now something is about to be sent."""
        self._write_begin()

    def exchange(self, sent: Exchange, number: int) -> None:
        """Write a request that changes something; reads and requests for tokens are none of it."""
        if not sent.write:
            return
        self._write_begin()
        self._append(
            "call",
            n=number,
            key=sent.key,
            connection=sent.connection,
            method=sent.method,
            host=sent.host,
            path=sent.path,
            query=sent.query,
            sent=sent.sent,
            status=sent.status,
            headers=dict(sent.told) or None,
            requestId=sent.request_id,
            ms=sent.ms,
            attempt=sent.attempt,
            error=sent.error,
        )

    def end(self, result: ApplyResult | None, why_not: str = "") -> None:
        """Write what became of the plan, or why it broke off; where nothing was sent then, there is no record."""
        if result is not None:
            self._write_begin()
        if not self._begun:
            return
        outcomes = () if result is None else result.outcomes
        self._append(
            "end",
            whyNot=why_not,
            interrupted=bool(result and result.interrupted),
            outcomes=[
                {
                    "key": str(item.key),
                    "action": item.action.value,
                    "result": item.result.value,
                    "calls": item.calls_sent,
                    "remoteId": item.remote_id,
                    "message": item.message,
                }
                for item in outcomes[:MOST_CHANGES]
            ],
            durable=True,
        )
        counted = ", ".join(f"{item.result.value} {item.key}" for item in outcomes[:3]) or why_not
        self._keep_there(f"apply by {self._owner.user or 'somebody'}: {counted}")

    def _keep_there(self, note: str) -> None:
        if self._keep is None:
            return
        try:
            self._keep(self._name, b"".join(self._lines), note)
        except StateProblem as error:
            self._keep = None
            self._warn(f"the audit record of this run is kept in {self.path} alone: {error}")

    def _rotate(self) -> None:
        try:
            if self.path.stat().st_size > ROTATE_BYTES:
                self.path.replace(self.path.with_name(self.path.name + ".1"))
        except FileNotFoundError:
            pass
        except OSError as error:
            self._give_up(error)

    def _append(self, event: str, *, durable: bool = False, **facts: Any) -> None:
        told = {name: value for name, value in facts.items() if value not in (None, "")}
        moment = iso(self._now().replace(microsecond=0))
        line = {"formatVersion": FORMAT_VERSION, "run": self._run, "event": event, "time": moment, **told}
        text = (json.dumps(line) + "\n").encode()
        self._lines.append(text)
        if not self._given_up:
            try:
                with self._lock:
                    self._write(text, durable)
            except OSError as error:
                self._give_up(error)

    def _write(self, line: bytes, durable: bool) -> None:
        if self.path.parent.is_symlink():
            raise OSError(f"{self.path.parent} is a symbolic link")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        descriptor = os.open(self.path, flags, 0o600)
        try:
            left = memoryview(line)
            while left:
                left = left[os.write(descriptor, left) :]
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _give_up(self, error: OSError) -> None:
        self._given_up = True
        self._warn(f"no audit record is kept of this run: {self.path} cannot be written: {error.strerror or error}")


def _field(change: FieldChange) -> dict[str, Any]:
    return {"path": change.path, "before": _brief(change.before), "after": _brief(change.after)}


def _brief(value: Any) -> Any:
    text = json.dumps(value, default=str, sort_keys=True)
    return value if len(text) <= LONGEST_VALUE else {"sha256": hashlib.sha256(text.encode()).hexdigest()}


def read_audit(path: Path) -> list[Mapping[str, Any]]:
    """Give the lines of an audit file, oldest first; a last line that was cut off is left out."""
    return audit_lines(path.read_bytes()) if path.exists() else []


def audit_lines(content: bytes) -> list[Mapping[str, Any]]:
    """Give the lines of a record; what is no line of one is left out."""
    found: list[Mapping[str, Any]] = []
    for line in content.split(b"\n"):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and isinstance(value.get("run"), str) and isinstance(value.get("event"), str):
            found.append(value)
    return found


def runs_of(records: Iterable[bytes]) -> list[list[Mapping[str, Any]]]:
    """Give the lines of each run, the newest run first, from records of which a run may be in several."""
    runs: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        found: dict[str, list[Mapping[str, Any]]] = {}
        for line in audit_lines(record):
            found.setdefault(str(line["run"]), []).append(line)
        for run, lines in found.items():
            if len(lines) > len(runs.get(run, ())):
                runs[run] = lines
    return sorted(runs.values(), key=lambda lines: str(lines[0].get("time", "")), reverse=True)


def touches(lines: Iterable[Mapping[str, Any]], key: str) -> bool:
    """Tell whether a run was to change, or did change, an experiment."""
    for line in lines:
        plan = line.get("plan")
        named = [*_dicts(plan.get("changes") if isinstance(plan, dict) else None), *_dicts(line.get("outcomes")), line]
        if any(each.get("key") == key for each in named):
            return True
    return False


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
