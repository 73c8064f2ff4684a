"""
The lock of a remote place: a text that names its owner and until when it holds.

Nobody can ask a remote place whether an owner lives. A lock is over when its owner ran on this machine and is gone, or
when it was not renewed for as long as it says itself. A paused owner who comes back finds that it was taken over: each
write names what it builds upon, and fails.
"""

from __future__ import annotations

import contextlib
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.errors import Locked, StateConflict, StateProblem
from reconciler.model.strict_json import strict_json
from reconciler.model.time import iso, parse_time
from reconciler.state.medium import Medium, Moved
from reconciler.state.owner import Owner, age
from reconciler.state.text import dumped

FORMAT_VERSION = "1.0"
DEFAULT_EXPIRY_S = 7200.0
_PAUSES_S = (0.2, 0.5, 1.0, 2.0, 4.0)
_RENEW_AT_MOST_S = 300.0


@dataclass(frozen=True)
class Held:
    """A lock as it stands there. `owner` is None when it does not say whose it is; `expires_at` None: never."""

    fence: int = 0
    owner: Owner | None = None
    machine: str = ""
    renewed_at: datetime | None = None
    expires_at: datetime | None = None
    free: bool = False

    def is_over(self, now: datetime) -> bool:
        """Tell whether nobody holds it any more."""
        if self.free or (self.expires_at is not None and now >= self.expires_at):
            return True
        return self.owner is not None and self.machine == machine() and self.owner.is_dead()

    def described(self, now: datetime) -> str:
        """Give whose it is, since when, and when it was last renewed."""
        if self.owner is None:
            return "another run that has not said who it is"
        last = f", last heard of {age((now - self.renewed_at).total_seconds())} ago" if self.renewed_at else ""
        return self.owner.described(now) + last


class Lease:
    """The lock of one place. `expires_s` is how long it holds without being renewed, None: for ever."""

    def __init__(self, medium: Medium, *, expires_s: float | None, now: Callable[[], datetime]) -> None:
        self._medium = medium
        self._expires_s = expires_s
        self._now = now
        self._owner: Owner | None = None
        self._version = ""
        self._fence = 0
        self._renewed = 0.0

    @property
    def held(self) -> bool:
        """Whether this process holds it."""
        return self._owner is not None

    @contextlib.contextmanager
    def hold(self, owner: Owner, timeout_s: float) -> Iterator[None]:
        """Hold the lock; raises Locked after `timeout_s`, StateProblem when the place cannot be asked."""
        if self.held:
            raise self._locked(self._found()[1])
        self._take(owner, timeout_s)
        done = False
        try:
            yield
            done = True
        finally:
            self._owner = None
            try:
                self._give_back()
            except StateProblem as error:
                if done:  # an error that is under way says more
                    raise StateProblem(
                        f"all is saved, but the lock could not be given back: {error}; "
                        "free it with: reconciler state unlock --force"
                    ) from None

    def renew(self) -> None:
        """Say that the owner lives, when that is due; raises StateConflict when the lock is another's by now."""
        if self._owner is None or self._expires_s is None:
            return
        if time.monotonic() - self._renewed < min(self._expires_s / 4, _RENEW_AT_MOST_S):
            return
        try:
            self._version = self._medium.write_lock(self._body(self._owner), self._version)
        except Moved:
            raise self.lost() from None
        self._renewed = time.monotonic()

    def lost(self) -> StateConflict:
        """Give the error of a run whose lock was taken over."""
        _, held = self._found()
        who = f"{held.described(self._now())} holds it" if held is not None and not held.free else "nobody holds it now"
        return StateConflict(
            f"the lock of {self._medium.title} was taken from this run: {who}; nothing more is written: run again"
        )

    def holder(self) -> str | None:
        """Give whose the lock is now, since when, and when it was last renewed; None when it is nobody's."""
        held, now = self._found()[1], self._now()
        return None if held is None or held.is_over(now) else held.described(now)

    def clear(self, *, force: bool) -> str | None:
        """Remove a lock that is over, or, with `force`, any; gives a sentence on it. Raises Locked."""
        version, held = self._found()
        if held is None or held.free:
            return None
        if not force and not held.is_over(self._now()):
            raise self._locked(held)
        try:
            self._medium.fence(held.fence + 1)
            self._medium.free_lock(self._free_body(held.fence + 1), version)
        except Moved:
            raise self._locked(self._found()[1]) from None
        return f"the lock of {held.described(self._now())} is removed"

    def _take(self, owner: Owner, timeout_s: float) -> None:
        until = time.monotonic() + max(timeout_s, 0.0)
        for attempt in range(1_000_000):
            version, held = self._found()
            if held is None or held.is_over(self._now()):
                self._fence = (held.fence if held is not None else 0) + 1
                try:
                    self._version = self._medium.write_lock(self._body(owner), version or None)
                except Moved:
                    held = self._found()[1]
                else:
                    self._owner, self._renewed = owner, time.monotonic()
                    if held is not None and not held.free:
                        self._medium.fence(self._fence)
                    return
            pause = _PAUSES_S[min(attempt, len(_PAUSES_S) - 1)]
            if time.monotonic() + pause > until:
                raise self._locked(held)
            time.sleep(pause)

    def _give_back(self) -> None:
        for pause in (*_PAUSES_S[:2], None):
            try:
                self._medium.free_lock(self._free_body(self._fence), self._version)
            except Moved:  # somebody took it over: it is not ours to free
                return
            except StateProblem:
                if pause is None:
                    raise
                time.sleep(pause)
            else:
                return

    def _found(self) -> tuple[str, Held | None]:
        found = self._medium.read_lock()
        return ("", None) if found is None else (found[0], read_lock_text(found[1]))

    def _body(self, owner: Owner) -> bytes:
        now = self._now()
        values: dict[str, Any] = {
            "formatVersion": FORMAT_VERSION,
            "fence": self._fence,
            "nonce": uuid.uuid4().hex,
            "owner": owner.to_json(),
            "machine": machine(),
            "renewedAt": iso(now),
        }
        if self._expires_s is not None:
            values["expiresAt"] = iso(now + timedelta(seconds=self._expires_s))
        return dumped(values, ascii_only=True)

    def _free_body(self, fence: int) -> bytes:
        return dumped({"formatVersion": FORMAT_VERSION, "fence": fence, "nonce": uuid.uuid4().hex, "free": True})

    def _locked(self, held: Held | None) -> Locked:
        who = "another run that has just let go" if held is None or held.free else held.described(self._now())
        expiry = ""
        if held is not None and held.expires_at is not None:
            expiry = f"it expires at {iso(held.expires_at)} unless that run goes on; "
        return Locked(
            f"{self._medium.title} is locked by {who}; {expiry}wait for it to end (--lock-timeout SECONDS) or, when "
            "that run is gone for sure, free it with: reconciler state unlock --force"
        )


def read_lock_text(body: bytes) -> Held:
    """Read a lock's text. One that cannot be read is somebody's lock all the same: only `--force` removes it."""
    try:
        values = strict_json(body.decode())
        fence, machine_name = values.get("fence"), values.get("machine", "")
        if type(fence) is not int or fence < 0 or not isinstance(machine_name, str):
            raise ValueError("not a lock")
        if values.get("free") is True:
            return Held(fence, free=True)
        expires = values.get("expiresAt")
        renewed = parse_time(values["renewedAt"]) if "renewedAt" in values else None
        owner = Owner.from_json(values.get("owner"))
        return Held(fence, owner, machine_name, renewed, None if expires is None else parse_time(expires))
    except (ValueError, TypeError, AttributeError, KeyError):
        return Held()


def machine() -> str:
    """
    Give a name for this machine since it was started, containers apart: a process number means something only there.

    The host's name alone would not do: many containers share one, and see none of each other's processes.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{socket.gethostname()}/{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return f"{socket.gethostname()}/{uuid.getnode():x}"
