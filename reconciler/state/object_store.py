"""
The state in an object store: S3 and servers like it, Google Cloud Storage, Azure Blob Storage.

Objects, under the prefix: `state.json`; `state.json.lock`; and `state.json.journal/<serial>-<id>/<n>.json`, an entry
each, made only if there is none of that number. The state is replaced only if its tag is the one that was read. S3
makes tags of the content, so each body holds a nonce: no two writes are equal.

Two rules keep a run out that believes to hold a lock which is another's by now. Before a state is replaced its journal
is sealed: the next number is taken, so nobody can add to it. And after an entry was made the state is looked at: if it
was replaced meanwhile, the entry went into a journal that nobody reads any more, and counts as not written.
"""

from __future__ import annotations

import contextlib
import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar

from reconciler.errors import StateProblem, StateUnreadable
from reconciler.model.strict_json import strict_json
from reconciler.state.lease import read_lock_text
from reconciler.state.medium import Kept, Moved, Position
from reconciler.state.place import Place
from reconciler.state.text import dumped

T = TypeVar("T")
STATE_KEY = "state.json"
_TRIES = 4
_RETRIES = {"max_retries": 4, "retry_timeout": timedelta(seconds=30)}
_PATIENCE = {"timeout": "30s", "connect_timeout": "10s"}
_SECRET = re.compile(r"(?i)((?:signature|credential|sig|token|key|authorization)[\w-]*\s*[=:]\s*)[^\s&,;]+")


@dataclass(frozen=True)
class _Write:
    """What a write of the state leaves in it, beside the state: `journal` names the journal that builds upon it."""

    journal: str
    nonce: str
    fence: int


class ObjectMedium:
    """A state in a bucket. `connect` makes the store of the library; it is called once, at the first use."""

    def __init__(self, connect: Callable[[], Any], title: str, prefix: str) -> None:
        self._connect = connect
        self._title = title
        self._key = f"{prefix}/{STATE_KEY}" if prefix else STATE_KEY
        self._made: Any = None
        self._fence = 0

    @property
    def title(self) -> str:
        """What messages call the place."""
        return self._title

    # --- the state ---------------------------------------------------------------------------------------------

    def load(self) -> Kept:
        """Give the state and the journal that builds upon it, as of one moment."""
        for _ in range(_TRIES):
            found = self._get(self._key)
            if found is None:
                return Kept()
            version, body = found
            content, group = self._opened(body)
            numbers = self._numbers(group)
            bodies = [self._get(self._entry(group, number)) for number in range(1, numbers + 1)]
            if self._version(self._key) != version:
                continue  # replaced meanwhile, and its journal perhaps gone
            lines = []
            for number, item in enumerate(bodies, 1):
                if item is None:
                    raise StateUnreadable(f"{self._title}: entry {number} of the journal is missing")
                line = self._line(item[1], number)
                if line is not None:
                    lines.append(line)
            return Kept(Position(version, numbers + 1, group), content, tuple(lines))
        raise StateProblem(f"{self._title} changes faster than it can be read; run again")

    def append(self, at: Position, line: bytes, note: str) -> Position:
        """Make the entry's object, then see that the state it builds upon is still there."""
        values = {"nonce": uuid.uuid4().hex, "fence": self._fence, "entry": line.decode("ascii").rstrip("\n")}
        self._put(self._entry(at.group, at.next), dumped(values, ascii_only=True), None)
        if self._version(self._key) != at.version:
            raise Moved
        return replace(at, next=at.next + 1)

    def replace(self, at: Position, content: bytes, serial: int, note: str) -> Position:
        """Seal the journal, put the new state, and clear away the old journal."""
        if at.version:
            seal = {"nonce": uuid.uuid4().hex, "fence": self._fence, "sealed": True}
            self._put(self._entry(at.group, at.next), dumped(seal), None)
        write = _Write(f"{serial}-{uuid.uuid4().hex[:12]}", uuid.uuid4().hex, self._fence)
        version = self._put(self._key, _closed(content, write), at.version or None)
        if at.version:
            with contextlib.suppress(Exception):  # what stays there is read by nobody
                self._library().delete(self._store(), [self._entry(at.group, n) for n in range(1, at.next + 1)])
        return Position(version, 1, write.journal)

    def fence(self, number: int) -> None:
        """Write the state once more as it is: every write that names the tag it had before fails from now on."""
        self._fence = max(number, self._fence)
        for _ in range(_TRIES):
            found = self._get(self._key)
            if found is None:
                return
            version, body = found
            content, group = self._opened(body)
            with contextlib.suppress(Moved):
                self._put(self._key, _closed(content, _Write(group, uuid.uuid4().hex, number)), version)
                return
        raise StateProblem(f"{self._title} is being written by others all the time; run again")

    def _opened(self, body: bytes) -> tuple[bytes, str]:
        """Give the state's text, and the name of its journal."""
        try:
            values = strict_json(body.decode("utf-8-sig"), half_pairs=True)
            write = values.pop("write")
            group, fence = write["journal"], write["fence"]
            if not re.fullmatch(r"\d+-[0-9a-f]{12}", group) or type(fence) is not int:
                raise ValueError
        except (ValueError, KeyError, TypeError, AttributeError):
            raise StateUnreadable(
                f"{self._title} is not a state as it is kept here; it was left as it is: an earlier version can be put "
                "there by hand, or in another place with: reconciler state push FILE"
            ) from None
        return _text(values), group

    def _line(self, body: bytes, number: int) -> bytes | None:
        """Give an entry's line; None for the seal."""
        try:
            values = strict_json(body.decode())
            if values.get("sealed") is True:
                return None
            line: bytes = values["entry"].encode("ascii")
        except (ValueError, KeyError, TypeError, AttributeError):
            raise StateUnreadable(f"{self._title}: entry {number} of the journal is damaged") from None
        return line

    def _entry(self, group: str, number: int) -> str:
        return f"{self._key}.journal/{group}/{number:06}.json"

    def _numbers(self, group: str) -> int:
        """Give the number of the last entry of a journal; 0 when there is none."""
        listed = self._tried("be listed", lambda: self._library().list(self._store(), f"{self._key}.journal/{group}"))
        names = [item["path"].rsplit("/", 1)[-1] for chunk in listed for item in chunk]
        return max((int(name[:6]) for name in names if re.fullmatch(r"\d{6}\.json", name)), default=0)

    # --- the audit records -------------------------------------------------------------------------------------

    def keep_record(self, name: str, content: bytes, note: str) -> None:
        """Put the record's own object, `state.json.audit/<name>.jsonl`."""
        key = f"{self._key}.audit/{name}.jsonl"
        self._tried("be written", lambda: self._library().put(self._store(), key, content, use_multipart=False))

    def records(self, most: int) -> list[bytes]:
        """Give the records, newest first: their names begin with the time."""
        listed = self._tried("be listed", lambda: self._library().list(self._store(), f"{self._key}.audit"))
        names = sorted((item["path"] for chunk in listed for item in chunk), reverse=True)
        found = [self._get(name) for name in names[:most]]
        return [item[1] for item in found if item is not None]

    # --- the lock ----------------------------------------------------------------------------------------------

    def read_lock(self) -> tuple[str, bytes] | None:
        """Give the tag and text of the lock's object."""
        return self._get(f"{self._key}.lock")

    def write_lock(self, body: bytes, expected: str | None) -> str:
        """Put the lock's object, only if it is not there (or still of the tag `expected`)."""
        version = self._put(f"{self._key}.lock", body, expected)
        self._fence = read_lock_text(body).fence
        return version

    def free_lock(self, body: bytes, expected: str) -> None:
        """Say in the lock's object that it is free: it stays, so that its number goes on counting."""
        self._put(f"{self._key}.lock", body, expected)

    # --- the library -------------------------------------------------------------------------------------------

    def _library(self) -> Any:
        try:
            import obstore
        except ImportError:
            raise StateProblem(
                f"{self._title} needs a library that is not installed: pip install 'reconciler[object-store]'"
            ) from None
        return obstore

    def _store(self) -> Any:
        if self._made is None:
            self._library()
            self._made = self._tried("be opened", self._connect)
        return self._made

    def _get(self, key: str) -> tuple[str, bytes] | None:
        def read() -> tuple[str, bytes] | None:
            try:
                found = self._library().get(self._store(), key)
                return _token(found.meta), bytes(found.bytes())
            except FileNotFoundError:
                return None

        return self._tried("be read", read)

    def _version(self, key: str) -> str | None:
        def read() -> str | None:
            try:
                return _token(self._library().head(self._store(), key))
            except FileNotFoundError:
                return None

        return self._tried("be read", read)

    def _put(self, key: str, body: bytes, expected: str | None) -> str:
        """
        Put an object, only if it is of the tag `expected` (None: not there), and give its tag.

        A write whose answer was lost may have been done, by this very call or by a repetition inside the library: what
        is there tells, since no two bodies are equal.
        """
        mode: Any = "create" if expected is None else json.loads(expected)
        error: Exception | None = None
        for _ in range(_TRIES):
            try:
                put = self._library().put(self._store(), key, body, mode=mode, use_multipart=False)
                return _token(put)
            except StateProblem:
                raise
            except Exception as caught:  # the library's errors have no common base but this
                error = caught
            found = self._get(key)
            if found is not None and found[1] == body:
                return found[0]
            if (found[0] if found is not None else None) != expected:
                raise Moved
            if not _may_pass(error):
                break
        raise StateProblem(f"{self._title} cannot be written: {_reason(error)}") from None

    def _tried(self, what: str, call: Callable[[], T]) -> T:
        try:
            return call()
        except StateProblem:
            raise
        except Exception as error:  # as above
            raise StateProblem(f"{self._title} cannot {what}: {_reason(error)}") from None


def object_medium(place: Place) -> ObjectMedium:
    """Give the medium of a place in a bucket; credentials are those of the surroundings, as the library finds them."""
    scheme = {"s3": "s3", "gcs": "gs", "azure": "az"}[place.backend]
    title = f"{scheme}://{place.bucket}/{place.prefix}/{STATE_KEY}"
    return ObjectMedium(lambda: _connected(place), title, place.prefix)


def _connected(place: Place) -> Any:
    from obstore import store

    common: dict[str, Any] = {
        "client_options": {**_PATIENCE, "allow_http": place.endpoint.startswith("http://")},
        "retry_config": _RETRIES,
    }
    stated = {"region": place.region, "endpoint": place.endpoint, "account_name": place.account}
    settings: dict[str, Any] = {name: value for name, value in stated.items() if value}
    match place.backend:
        case "s3":
            return store.S3Store(place.bucket, **settings, **common)
        case "gcs":
            return store.GCSStore(place.bucket, **common)
        case _:
            return store.AzureStore(place.bucket, **settings, **common)


def _token(meta: Mapping[str, Any]) -> str:
    """Give what a conditional write has to name: the tag, and the version where the store has one (Google's)."""
    return json.dumps({name: meta[name] for name in ("e_tag", "version") if meta.get(name) is not None})


def _text(values: Any) -> bytes:
    try:
        return dumped(values)
    except UnicodeEncodeError:
        return dumped(values, ascii_only=True)


def _closed(content: bytes, write: _Write) -> bytes:
    return _text({**strict_json(content.decode(), half_pairs=True), "write": vars(write)})


def _may_pass(error: Exception | None) -> bool:
    """Tell whether a failed write is worth another try: S3 answers 409 when two conditional writes meet."""
    return any(word in str(error) for word in ("409", "Conflict", "recondition", "already exists"))


def _reason(error: Exception | None) -> str:
    """Give the library's first line: what follows is for its developers."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    words = _SECRET.sub(r"\1…", "".join(c if c.isprintable() else "?" for c in lines[0]))
    return f"{words[:300]} ({type(error).__name__})"
