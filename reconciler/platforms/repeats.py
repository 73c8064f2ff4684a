"""How calls that change nothing are repeated: a few times, with growing waits, in the way of the library."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from reconciler.errors import PlatformError, Unclear
from reconciler.platforms.response import Response

READ_ATTEMPTS = 5
REPEATED_FOR_READS = frozenset({408, 423, 429})


class Again(Exception):
    """A read that may be repeated: its answer, or the error that came instead; `told` when the wait is done already."""

    def __init__(self, response: Response | None, error: PlatformError | None = None, told: bool = False) -> None:
        super().__init__()
        self.response = response
        self.error = error
        self.told = told


async def repeated(once: Callable[[bool], Awaitable[Response]], name: str, timeout_s: float) -> Response:
    """
    Give what `once` gives, called again while it raises Again: its last answer, or its last error.

    `once` is told whether this attempt is the last. After `timeout_s` seconds there is no further attempt. Raises what
    `once` raises, and PlatformError, naming the connection, in the place of Unclear.
    """
    failed: Again | None = None
    try:
        return await once(False)
    except Again as again:  # nearly every call ends above, and the library's loop costs more than all else of ours
        failed = again
    from reconciler.platforms.retrying import retry_context

    try:
        async for attempt in retry_context(
            on=_may_repeat,
            attempts=READ_ATTEMPTS,
            timeout=timeout_s,
            wait_initial=0.5,
            wait_max=20.0,
            wait_jitter=1.0,
        ):
            with attempt:
                if failed is not None:  # the first attempt is the one above
                    error, failed = failed, None
                    raise error
                return await once(attempt.num == READ_ATTEMPTS)
    except Again as again:
        if again.response is not None:
            return again.response
        if isinstance(again.error, Unclear):  # nothing is unclear about a read: it has no effect
            raise PlatformError(f"{again.error} ({READ_ATTEMPTS} attempts)", connection=name) from None
        if again.error is not None:
            raise again.error from None
    raise AssertionError("the last attempt returns or raises")


def _may_repeat(error: Exception) -> bool | float:
    """Tell stamina whether to repeat: on its own curve, or at once where the wait has been placed already."""
    if not isinstance(error, Again):
        return False
    return 0.0 if error.told else True
