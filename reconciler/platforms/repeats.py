"""How calls that change nothing are repeated: a few times, with growing waits, in the way of the library."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from reconciler.errors import PlatformError, Unclear
from reconciler.platforms.response import Response
from reconciler.platforms.session import READ_ATTEMPTS

REPEATED_FOR_READS = frozenset({408, 423, 429})


class Again(Exception):
    """A read that may be repeated: its answer, or the error that came instead; `told` when the wait is done already."""

    def __init__(self, response: Response | None, error: PlatformError | None = None, told: bool = False) -> None:
        super().__init__()
        self.response = response
        self.error = error
        self.told = told


async def repeated(
    once: Callable[[bool], Awaitable[Response]], name: str, timeout_s: float, attempts: int = READ_ATTEMPTS
) -> Response:
    """
    Give what `once` gives, called again while it raises Again: its last answer, or its last error.

    `once` is told whether this attempt is the last. After `timeout_s` seconds there is no further attempt. Raises what
    `once` raises, and PlatformError, naming the connection, in the place of Unclear.
    """
    began = time.monotonic()
    try:
        return await once(attempts == 1)
    except Again as again:  # nearly every call ends above, and the library's loop costs more than all else of ours
        failed = again
    if attempts > 1:
        try:
            return await _once_more(once, failed, timeout_s - (time.monotonic() - began), attempts)
        except Again as again:
            failed = again
    if failed.response is not None:
        return failed.response
    if isinstance(failed.error, Unclear):  # nothing is unclear about a read: it has no effect
        tried = f" ({attempts} attempts)" if attempts > 1 else ""
        raise PlatformError(f"{failed.error}{tried}", connection=name) from None
    assert failed.error is not None
    raise failed.error from None


async def _once_more(
    once: Callable[[bool], Awaitable[Response]], failed: Again | None, timeout_s: float, attempts: int
) -> Response:
    """Give what `once` gives, called again after a first attempt, which has `failed`; raises the last Again."""
    from reconciler.platforms.retrying import retry_context

    async for attempt in retry_context(
        on=_may_repeat,
        attempts=attempts,
        timeout=max(timeout_s, 0.001),
        wait_initial=0.5,
        wait_max=20.0,
        wait_jitter=1.0,
    ):
        with attempt:
            if failed is not None:
                error, failed = failed, None
                raise error
            return await once(attempt.num == attempts)
    raise AssertionError("the last attempt returns or raises")


def _may_repeat(error: Exception) -> bool | float:
    """Tell stamina whether to repeat: on its own curve, or at once where the wait has been placed already."""
    if not isinstance(error, Again):
        return False
    return 0.0 if error.told else True
