"""What the answers of a platform make later calls of the connection wait for."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.platforms.outgoing import Outgoing
from reconciler.platforms.ratelimit import SPREAD_S, Clock, Holds, backoff_s, told_wait_s, used_up_s
from reconciler.platforms.response import Response

WAIT_ATTEMPTS = 6
"""How often a call waits for "not done" as it is told to, before the waits also grow."""


class Waits:
    """
    The waits of one connection: placed by answers, observed by calls before they go out.

    `max_wait_s` and `announce` are those of `Holds`, which raises LimitReached for a wait that is longer.
    """

    def __init__(self, name: str, max_wait_s: float, announce: Callable[[str], None], clock: Clock) -> None:
        self._clock = clock
        self._holds = Holds(name, max_wait_s, announce, clock)

    async def over(self, call: Outgoing) -> None:
        """Wait until nothing holds a call back, and note on it for how long."""
        call.waited_s += await self._holds.clear(*call.hold_keys, waited_s=call.waited_s)

    def hold_back(self, call: Outgoing) -> bool:
        """Tell whether something holds a call back now."""
        return self._holds.active(*call.hold_keys)

    def told_s(self, response: Response) -> float | None:
        """Give the seconds that an answer asks to wait; None when it asks for nothing."""
        return told_wait_s(response.headers, limited=response.status == 429, wall=self._clock.wall())

    def not_done(self, call: Outgoing, response: Response, attempt: int) -> None:
        """Hold everyone after a 429, this call alone after another "not done"; as told, else with growing waits."""
        told = self.told_s(response)
        seconds = (
            max(told, 0.05) if told is not None and attempt < WAIT_ATTEMPTS else max(told or 0, backoff_s(attempt))
        )
        if response.status == 429:
            spread = self._spread_s() if told else 0.0
            self._holds.place(Holds.EVERYONE, seconds + spread, "rate limit reached (429)", 429)
        else:
            why = f"{call.method} {call.path} not done (HTTP {response.status})"
            self._holds.place(call.key, seconds, why, response.status)

    def failed_read(self, call: Outgoing, response: Response, seconds: float) -> None:
        """Hold a read back for as long as its answer asked."""
        why = f"HTTP {response.status} from {call.method} {call.path}"
        self._holds.place(call.key, seconds, why, response.status)

    def used_up(self, call: Outgoing, response: Response) -> None:
        """Hold an endpoint whose quota a successful answer reports as used up."""
        if response.status < 300 and (wait := used_up_s(response.headers, wall=self._clock.wall())):
            self._holds.place(call.endpoint, wait + self._spread_s(), "rate limit used up", 429)

    def _spread_s(self) -> float:
        """Give how much longer to wait for a moment that other runs wait for too."""
        return self._clock.jitter(0.0, SPREAD_S)
