"""
When to wait and how long: what answers say about limits, holds that every task of a connection keeps to, and pacing.

Every wait is announced with the time left, and refused when a call would have waited longer than the run allows.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from reconciler.errors import LimitReached
from reconciler.model.time import iso

if TYPE_CHECKING:
    from pyrate_limiter import Limiter

# X sends `x-rate-limit-*` for the user token and, where enabled, `x-account-rate-limit-*`, which takes precedence
# (x-ads.md 8, doc D8). `reset` is Unix epoch seconds (doc D22). The other platforms send neither.
LIMIT_HEADERS = ("x-account-rate-limit", "x-rate-limit")
KEPT_BACK = 25
"""
Calls of a limit that are left to others: a run learns what is left from answers to calls that are over, while other
runs have calls under way. A limit of few calls keeps back a twentieth of them, so that a small one can be used whole.
"""
SPREAD_S = 2.0
"""Runs that wait for the same moment begin again within this time of it, and not all at once."""
BACKOFF_FIRST_S = 1.0
BACKOFF_MAX_S = 60.0
_RETELL_S = 60.0


@dataclass(frozen=True)
class Clock:
    """
    Time as the client meets it; tests hand in one that does not really wait. All in seconds.

    `jitter` gives a number between two.
    """

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[float, float], float] = random.uniform


def backoff_s(attempt: int) -> float:
    """Give the wait after the n-th failed attempt (from 1): doubling from one second to one minute, with jitter."""
    ceiling = min(BACKOFF_FIRST_S * 2 ** min(attempt - 1, 10), BACKOFF_MAX_S)
    return float(ceiling * random.uniform(0.75, 1.25))  # nosec B311


def told_wait_s(headers: Mapping[str, str], *, limited: bool, wall: float) -> float | None:
    """
    Give the seconds that a refusing answer asks to wait before the next request, or None when it asks for nothing.

    `limited` says that the answer is a 429. `Retry-After` may be seconds or an HTTP date. A reset header counts when
    the remaining calls are 0, or on a 429 without Retry-After. `wall` is this machine's epoch time; the server's own
    `Date`, where sent, is preferred, so that a wrong clock here does not matter.
    """
    now = _epoch_of_date(headers.get("date", ""), wall)
    after = _retry_after(headers.get("retry-after", ""), now)
    waits = [] if after is None else [after]
    if limited:
        told = limits_told(headers)
        used_up = [item.reset for item in told if item.left is not None and item.left <= 0]
        if not used_up and after is None:
            used_up = [item.reset for item in told]
        waits += [max(reset - now, 0.0) for reset in used_up[:1]]
    return max(waits, default=None)


def used_up_s(headers: Mapping[str, str], *, wall: float) -> float | None:
    """
    Give the seconds until a quota is refilled that a successful answer reports as used up; None when it is not.

    What is to be left to other runs counts as used up.
    """
    told = next(iter(limits_told(headers)), None)
    if told is None or told.left is None or told.left > told.kept_back:
        return None
    return max(told.reset - _epoch_of_date(headers.get("date", ""), wall), 0.0)


@dataclass(frozen=True, slots=True)
class LimitTold:
    """One set of limit headers: calls in a window, those left, and when it is refilled, in epoch seconds."""

    limit: float | None
    left: float | None
    reset: float

    @property
    def kept_back(self) -> int:
        """How many calls are left to other runs."""
        return min(int((self.limit or 0) // 20), KEPT_BACK)


def limits_told(headers: Mapping[str, str]) -> list[LimitTold]:
    """Give each set of limit headers that says when it is refilled, the account's own first."""
    sets = [tuple(_number(headers.get(name)) for name in names) for names in _LIMIT_HEADERS if names[-1] in headers]
    return [LimitTold(limit, left, reset) for limit, left, reset in sets if reset is not None]


_LIMIT_HEADERS = [tuple(f"{name}-{word}" for word in ("limit", "remaining", "reset")) for name in LIMIT_HEADERS]


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError:
        return None
    return value if value is not None and 0 <= value < 1e12 else None


def _epoch_of_date(text: str, otherwise: float) -> float:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return otherwise


def _retry_after(text: str, now: float) -> float | None:
    seconds = _number(text.strip())
    if seconds is not None:
        return seconds
    try:
        return max(parsedate_to_datetime(text).timestamp() - now, 0.0)
    except (ValueError, TypeError, OverflowError):
        return None


def spoken(seconds: float) -> str:
    """Give a duration as people say it: `40 s`, `12 min`, `3 h 5 min`. Rounded up."""
    whole = max(int(-(-seconds // 1)), 1)
    if whole <= 120:
        return f"{whole} s"
    minutes = -(-whole // 60)
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


@dataclass
class _Held:
    until: float
    why: str
    status: int
    told_at: float | None = None


@dataclass
class Holds:
    """
    The moments before which nothing may be sent, by a key that says whom they concern.

    `EVERYONE` concerns every call of the connection; other keys are a call's own or an endpoint's. Times are on the
    monotonic clock. `max_wait_s` bounds what one call may wait in sum.
    """

    connection: str
    max_wait_s: float
    announce: Callable[[str], None]
    clock: Clock = field(default_factory=Clock)
    _held: dict[str, _Held] = field(default_factory=dict)

    EVERYONE = ""

    def place(self, key: str, seconds: float, why: str, status: int) -> None:
        """Hold a key for some seconds; a shorter hold never shortens a longer one."""
        until = self.clock.monotonic() + seconds
        held = self._held.get(key)
        if held is None or until > held.until:
            self._held[key] = _Held(until, why, status)

    def active(self, *keys: str) -> bool:
        """Tell whether a hold of one of the keys is under way."""
        return self._longest(keys) is not None

    async def clear(self, *keys: str, waited_s: float) -> float:
        """
        Wait until none of the keys is held; gives the seconds waited.

        `waited_s` is what the call has waited already. Raises LimitReached, before waiting, when the sum would be more
        than `max_wait_s`.
        """
        waited = 0.0
        while (held := self._longest(keys)) is not None:
            left = held.until - self.clock.monotonic()
            if waited_s + waited + left > self.max_wait_s:
                raise self._too_long(held, left, waited_s + waited)
            self._tell(held, left)
            step = min(left, _RETELL_S)
            await self.clock.sleep(step)
            waited += step
        for key in keys:
            if key:
                self._held.pop(key, None)
        return waited

    def _longest(self, keys: tuple[str, ...]) -> _Held | None:
        now = self.clock.monotonic()
        running = [held for key in keys if (held := self._held.get(key)) and held.until > now]
        return max(running, key=lambda held: held.until, default=None)

    def _tell(self, held: _Held, left: float) -> None:
        now = self.clock.monotonic()
        if held.told_at is None or now - held.told_at >= _RETELL_S:
            held.told_at = now
            self.announce(f"{self.connection}: {held.why}, waiting {spoken(left)}")

    def _too_long(self, held: _Held, left: float, waited: float) -> LimitReached:
        when = iso(datetime.fromtimestamp(min(self.clock.wall() + left, 253402300799), UTC).replace(microsecond=0))
        so_far = f" after {spoken(waited)} of waiting" if waited else ""
        return LimitReached(
            f"{self.connection}: {held.why}; it asks for {spoken(left)} more{so_far}, and --max-wait allows "
            f"{spoken(self.max_wait_s)}; run again after {when}",
            connection=self.connection,
            status=held.status,
        )


class Pace:
    """Keeps the calls of one connection under a documented rate: at most `calls` in any window of `window_s`."""

    def __init__(self, calls: int, window_s: float) -> None:
        self._calls = calls
        self._window_s = window_s
        self._limiter: Limiter | None = None

    async def take(self) -> None:
        """Wait until one more call fits into the window."""
        if self._limiter is None:
            self._limiter = _limiter(self._calls, self._window_s)
        await self._limiter.try_acquire_async("call")


def _limiter(calls: int, window_s: float) -> Limiter:
    from pyrate_limiter import InMemoryBucket, Limiter, Rate
    from pyrate_limiter.limiter import SingleBucketFactory

    bucket = InMemoryBucket([Rate(calls, int(window_s * 1000))])
    return Limiter(SingleBucketFactory(bucket, schedule_leak=False))
