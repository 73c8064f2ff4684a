"""
The audit record: for each apply who ran it, from which commit, which plan, every call that was sent with its answer,
and what became of it. Lines of JSON in a file beside the state, only ever appended to.

A run is some lines with the same `run`: `begin`, one `call` for each request that changes something, `end`. A run that
was killed has no `end`. No body and no header is kept. A record that cannot be written is given up with one warning:
it never fails an apply.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from reconciler.model.change import Plan
from reconciler.model.outcome import ApplyResult
from reconciler.model.time import iso
from reconciler.platforms.exchange import Exchange
from reconciler.state.owner import Owner

FORMAT_VERSION = "1.0"
SUFFIX = ".audit.jsonl"
ROTATE_BYTES = 5 * 1024 * 1024
"""A file that is longer is put aside as `….audit.jsonl.1` before a run begins; the one before that is dropped."""
MOST_CHANGES = 10_000
_LONGEST_REF = 4096


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


def plan_digest(plan_text: str) -> str:
    """Give the digest by which a plan is named, of the text that `plan --out` saves for it."""
    return f"sha256:{hashlib.sha256(plan_text.encode()).hexdigest()}"


class Audit:
    """Writes the record of one run. `warn` is told once when that is not possible."""

    def __init__(
        self, path: Path, owner: Owner, *, now: Callable[[], datetime], warn: Callable[[str], None], **about: Any
    ) -> None:
        self.path = path
        self._owner = owner
        self._now = now
        self._warn = warn
        self._about = about
        self._run = str(uuid.uuid4())
        self._beginning: dict[str, Any] | None = None
        self._begun = False
        self._given_up = False
        self._lock = threading.Lock()

    def begin(self, made: Plan, digest: str) -> None:
        """Note which plan is carried out; it is written with the first call, or with the end where there is none."""
        changes = [{"key": str(change.key), "action": change.action.value} for change in made.changes]
        self._beginning = {
            "by": self._owner.to_json(),
            **self._about,
            "plan": {
                "digest": digest,
                "createdAt": iso(made.created_at),
                "environment": made.environment,
                "state": {"lineage": made.state_lineage, "serial": made.state_serial},
                "summary": dict(made.summary),
                "changes": changes[:MOST_CHANGES],
            },
        }

    def _write_begin(self) -> None:
        if not self._begun and self._beginning is not None:
            self._begun = True
            self._rotate()
            self._append("begin", **self._beginning)

    def exchange(self, sent: Exchange) -> None:
        """Write a request that changes something; reads and requests for tokens are none of it."""
        if not sent.write:
            return
        self._write_begin()
        self._append(
            "call",
            connection=sent.connection,
            method=sent.method,
            host=sent.host,
            path=sent.path,
            query=sent.query,
            status=sent.status,
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
        if not self._given_up:
            try:
                with self._lock:
                    self._write((json.dumps(line) + "\n").encode(), durable)
            except OSError as error:
                self._give_up(error)

    def _write(self, line: bytes, durable: bool) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
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


def read_audit(path: Path) -> list[Mapping[str, Any]]:
    """Give the lines of an audit file, oldest first; a last line that was cut off is left out."""
    if not path.exists():
        return []
    lines = path.read_text("utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1] if line]
