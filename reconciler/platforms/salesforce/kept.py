"""
Answers of earlier runs, kept so that a plan need not read again what has not changed since.

One query tells State, Status and LastModifiedDate of every experiment. An answer is given again while all three are
what they were in the query before it was read; so a change between the two only costs one more read. The file may be
deleted at any time. Kept is the answer itself, which is read anew each time: what makes sense of it may have changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

from reconciler.errors import BadAnswer
from reconciler.model.resource import Found, Live, Record
from reconciler.model.strict_json import strict_json
from reconciler.platforms.response import Response
from reconciler.platforms.salesforce.facts import BUSY_STATUSES, FAILED_STATUSES
from reconciler.platforms.salesforce.kinds import KIND
from reconciler.platforms.session import ConnectionSettings

QUERY: Final = "SELECT Id, State, Status, LastModifiedDate FROM AbnExperiment"
WORTH_A_QUERY: Final = 10
"""Fewer experiments than this are read by id: the query is a request, and its answer is about the whole org."""
AT_REST_S: Final = 60.0
"""How long ago a change has to be for an answer to be kept: LastModifiedDate may count in whole seconds (assumed), so
that a second change in the same one would not show."""
ASKED_WITHIN_DAYS: Final = 30
_FORMAT: Final = "reconciler readings 1"
_FILE_KEPT_S: Final = 90 * 86_400
_WHO: Final = ("client_id", "username", "access_token", "refresh_token", "token_url")


class Row(NamedTuple):
    """What the query tells of one experiment."""

    state: str
    status: str
    modified: str


class Entry(NamedTuple):
    """One kept answer: the row before it, a digest of the record then, the day it was last asked for, its text."""

    row: Row
    record: str
    day: int
    answer: str


def rows_of(records: Iterable[Mapping[str, Any]]) -> dict[str, Row]:
    """Give the rows of a page of the query by id; one that lacks a value is left out, and so is read."""
    found: dict[str, Row] = {}
    for record in records:
        values = [record.get(name) for name in ("State", "Status", "LastModifiedDate")]
        if all(isinstance(value, str) and value for value in values):
            found[record["Id"]] = Row(*map(str, values))
    return found


def at_rest(row: Row, asked_at: datetime | None) -> bool:
    """Tell whether what is read now may stand for the row: no job, none failed, and no change just before."""
    if asked_at is None or row.status in BUSY_STATUSES | FAILED_STATUSES:
        return False
    try:
        return (asked_at - datetime.fromisoformat(row.modified)).total_seconds() >= AT_REST_S
    except (ValueError, TypeError):
        return False


def moment_of(headers: Mapping[str, str]) -> datetime | None:
    """Give the platform's own time of an answer: no clock of this machine says how old a change is."""
    try:
        moment = parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo is not None else None


def record_digest(record: Record | None) -> str:
    """
    Give the digest of what the state says was applied.

    An apply changes it, on whatever machine it ran: what was read before that is not given again.
    """
    if record is None:
        return ""
    told = (record.applied, record.stored, {**record.children}, record.inflight)
    return hashlib.blake2b(json.dumps(told, default=str, sort_keys=True).encode(), digest_size=8).hexdigest()


class Kept:
    """The answers of one connection, in a file of the user's cache folder that nobody else can read or write."""

    def __init__(self, path: Path, made_by: str) -> None:
        self.path = path
        self._made_by = made_by
        self._met: dict[str, bytes] = {}

    @classmethod
    def of_connection(cls, settings: ConnectionSettings, api_version: str, headers: Mapping[str, str]) -> Kept | None:
        """Give the place of a connection's answers; None where it keeps none. Its name shows nothing of a secret."""
        if not settings.incremental or settings.cache_dir is None:
            return None
        who = [(name, settings.auth.get(name, "")) for name in _WHO]
        place = json.dumps([settings.name, settings.base_url, api_version, who]).encode()
        name = hashlib.blake2b(place, digest_size=16).hexdigest()
        made_by = json.dumps([version("reconciler"), api_version, sorted(headers.items()), QUERY])
        folder = Path(settings.cache_dir).expanduser() / "readings"
        return cls(folder / f"{name}.json", hashlib.blake2b(made_by.encode(), digest_size=16).hexdigest())

    def read(self) -> dict[str, Entry]:
        """Give what is kept by remote id; nothing when there is no file, or one that cannot be trusted."""
        try:
            with self.path.open("rb") as stream:
                if not _is_ours(os.fstat(stream.fileno())):
                    return {}
                content = json.load(stream)
            if content["format"] != _FORMAT or content["madeBy"] != self._made_by:
                return {}
            return {remote_id: _entry(*values) for remote_id, values in content["entries"].items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return {}

    def write(self, entries: Mapping[str, Entry]) -> None:
        """Keep exactly these; a folder that cannot be written to keeps none, which costs reads alone."""
        packed = {remote_id: (*entry.row, *entry[1:]) for remote_id, entry in entries.items()}
        content = {"format": _FORMAT, "madeBy": self._made_by, "entries": packed}
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=".readings-")  # owner-only (0600)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as stream:
                    json.dump(content, stream)
                Path(temporary).replace(self.path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
            newest = self.path.stat().st_mtime
            for path in self.path.parent.glob("*.json"):
                if path.stat().st_mtime < newest - _FILE_KEPT_S:
                    path.unlink(missing_ok=True)

    def met(self, remote_id: str, response: Response | None = None) -> None:
        """Note what an experiment was read as, past what is kept; without an answer, that it is being written to."""
        self._met[remote_id] = _digest(_text(response)) if response is not None else b""

    def close(self) -> None:
        """Drop what is kept of experiments that were written to, or were read as something else."""
        entries = self.read() if self._met else {}
        stale = {key for key in self._met.keys() & entries.keys() if _digest(entries[key].answer) != self._met[key]}
        if stale:
            self.write({key: entry for key, entry in entries.items() if key not in stale})


class Refresh:
    """What one snapshot takes from what is kept, and adds to it."""

    def __init__(
        self, kept: Kept, rows: Mapping[str, Row], asked_at: datetime | None, records: Mapping[str, Record]
    ) -> None:
        self._kept = kept
        self._rows = rows
        self._asked_at = asked_at
        self._records = records
        self._entries = kept.read()
        self._day = asked_at.toordinal() if asked_at is not None else 0
        self._changed = False

    def again(self, remote_id: str) -> Found | None:
        """Give an experiment as an earlier run read it; None when it has to be read, and what was kept is dropped."""
        entry = self._entries.get(remote_id)
        if entry is None:
            return None
        if entry.row == self._rows.get(remote_id) and entry.record == record_digest(self._records.get(remote_id)):
            with contextlib.suppress(ValueError, BadAnswer):
                live = KIND.from_wire(strict_json(entry.answer))
                if live.remote_id == remote_id:
                    self._asked_for(remote_id, entry)
                    return Found(live)
        del self._entries[remote_id]
        self._changed = True
        return None

    def keep(self, remote_id: str, live: Live, response: Response) -> None:
        """Keep what was read of an experiment, unless it or its row is on the move, or a secret stands in it."""
        row, text = self._rows.get(remote_id), _text(response)
        if row is None or not at_rest(row, self._asked_at) or live.busy or live.failure:
            return
        if (live.remote_id, live.status) == (remote_id, row.state) and response.redact(text) == text:
            record = record_digest(self._records.get(remote_id))
            self._entries[remote_id] = Entry(row, record, self._day, text)
            self._changed = True

    def _asked_for(self, remote_id: str, entry: Entry) -> None:
        if entry.day < self._day:
            self._entries[remote_id] = entry._replace(day=self._day)
            self._changed = True

    def save(self) -> None:
        """Write what has changed, without what nobody has asked for in a month."""
        if self._changed:
            oldest = self._day - ASKED_WITHIN_DAYS
            self._kept.write({key: entry for key, entry in self._entries.items() if entry.day >= oldest})


def _entry(state: str, status: str, modified: str, record: str, day: int, answer: str) -> Entry:
    if not all(isinstance(value, str) for value in (state, status, modified, record, answer)) or type(day) is not int:
        raise TypeError("no entry")
    return Entry(Row(state, status, modified), record, day, answer)


def _text(response: Response) -> str:
    return response.body.decode("utf-8-sig")


def _digest(answer: str) -> bytes:
    return hashlib.blake2b(answer.encode(), digest_size=16).digest()


def _is_ours(found: os.stat_result) -> bool:
    """Tell whether nobody but this user can have written a file."""
    ours = not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o022)
    return stat.S_ISREG(found.st_mode) and ours
