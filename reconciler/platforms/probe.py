"""
What the doctor learns of one connection: can it be reached, are the credentials accepted, which role do they have, does
the clock agree. Every platform has a `probe` module whose function sends a few reads and gives these lines.

A line never holds a secret: messages come from the HTTP client, which masks them.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeAlias, TypedDict
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from reconciler.errors import LimitReached, NotSent, PlatformError, Unauthorized
from reconciler.model.examination import Grade, ProbeLine
from reconciler.platforms.http import HttpClient
from reconciler.platforms.session import ConnectionSettings
from reconciler.platforms.tokens import NO_TOKEN

CONNECT_S = 5.0
READ_S = 15.0
DEADLINE_S = 20.0
PROBE_S = 60.0
"""The longest that one connection may take altogether."""
ACCOUNTS_MAX = 10
"""Accounts asked about, so that a project of hundreds does not use up a quota."""
CLOCK_WARNING_S = 60.0
CLOCK_STRICT_S = 300.0
"""X refuses signatures this far from its own time (x-ads.md 7); a Salesforce JWT is over about then too."""


UNSEEN = "not looked at, because of the above"


class Limits(TypedDict):
    """Time limits of a client, in seconds."""

    connect_timeout_s: float
    read_timeout_s: float
    deadline_s: float


LIMITS: Limits = {"connect_timeout_s": CONNECT_S, "read_timeout_s": READ_S, "deadline_s": DEADLINE_S}
"""Those of a probe's client, much shorter than those of real work."""


Probe: TypeAlias = Callable[[ConnectionSettings], Awaitable[tuple[ProbeLine, ...]]]
Look: TypeAlias = Callable[[HttpClient], Awaitable[Sequence[ProbeLine]]]


async def probed(
    settings: ConnectionSettings,
    open_client: Callable[[], HttpClient],
    look: Look,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> tuple[ProbeLine, ...]:
    """
    Give the lines of one connection: reachability, then what `look` finds (credentials, roles), then the clock.

    `look` raises PlatformError for what makes the rest pointless; this is told as a line, never raised.
    """
    http = open_client()
    if problem := await _no_way(settings.base_url):
        return (problem, *_skipped("credentials", "role", "clock"))
    try:
        async with asyncio.timeout(PROBE_S):
            lines = [_reached(settings), *await look(http)]
    except TimeoutError:
        advice = "try again; if it stays like this, look at the network and the platform's status page"
        lines = [ProbeLine("reachable", Grade.FAILED, f"no answer within {PROBE_S:.0f} s", advice), *_skipped("role")]
    except PlatformError as error:
        lines = list(_broken_off(settings, http, error))
    finally:
        await http.close()
    return (*lines, clock_line(http.last_date, now()))


def clock_line(date: str, now: datetime) -> ProbeLine:
    """Compare a `Date` header with this machine's time; its resolution is a second."""
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return ProbeLine("clock", Grade.SKIPPED, "no answer told the time")
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=UTC)
    ahead = (now - theirs).total_seconds()
    off = abs(ahead)
    if off <= CLOCK_WARNING_S:
        return ProbeLine("clock", Grade.OK, f"within {max(round(off), 1)} s of the platform's")
    way = "ahead of" if ahead > 0 else "behind"
    advice = "let the machine keep its time by NTP (timedatectl set-ntp true)"
    if off > CLOCK_STRICT_S:
        advice += "; signed and time-limited credentials are refused at more than 5 minutes"
    return ProbeLine("clock", Grade.WARNING, f"{off:.0f} s {way} the platform's", advice)


def shown_accounts(accounts: Sequence[str]) -> tuple[Sequence[str], tuple[ProbeLine, ...]]:
    """Give the accounts to ask about, and a line when some are left out."""
    rest = len(accounts) - ACCOUNTS_MAX
    if rest <= 0:
        return accounts, ()
    return accounts[:ACCOUNTS_MAX], (ProbeLine("role", Grade.SKIPPED, f"{rest} more accounts were not asked about"),)


def credentials_accepted(words: str = "accepted") -> ProbeLine:
    """Give the line of credentials that work."""
    return ProbeLine("credentials", Grade.OK, words)


def no_account(connection: str) -> ProbeLine:
    """Give the line of a connection of which nobody says which account it is for."""
    return ProbeLine(
        "role",
        Grade.SKIPPED,
        "no account is named, so no role could be looked at",
        f"name the ad accounts in connections.{connection}.accounts, or write a manifest",
    )


# --- what goes wrong -----------------------------------------------------------------------------------------------


def _reached(settings: ConnectionSettings) -> ProbeLine:
    parts = urlsplit(settings.base_url)
    how = "over TLS" if parts.scheme == "https" else "without TLS, on this machine"
    return ProbeLine("reachable", Grade.OK, f"{parts.netloc} answers {how}")


def _broken_off(settings: ConnectionSettings, http: HttpClient, error: PlatformError) -> Iterator[ProbeLine]:
    auth = f"connections.{settings.name}.auth"
    if isinstance(error, Unauthorized):
        if http.requests:
            yield _reached(settings)
        yield ProbeLine(
            "credentials", Grade.FAILED, str(error), f"check the variables behind {auth}, or make new credentials"
        )
        yield from _skipped("role")
    elif isinstance(error, LimitReached):
        yield _reached(settings)
        yield ProbeLine("credentials", Grade.WARNING, f"not judged: {error}", "try again when the limit is over")
        yield from _skipped("role")
    elif error.code == NO_TOKEN:
        yield ProbeLine("credentials", Grade.FAILED, str(error), f"check {auth}.token_url and the network")
        yield from _skipped("role")
    elif isinstance(error, NotSent) or error.status is None:
        yield ProbeLine("reachable", Grade.FAILED, str(error), _network_advice(settings, str(error)))
        yield from _skipped("credentials", "role")
    else:
        yield _reached(settings)
        advice = f"check connections.{settings.name}.base_url and api_version"
        yield ProbeLine("credentials", Grade.FAILED, f"not judged: {error}", advice)
        yield from _skipped("role")


def _network_advice(settings: ConnectionSettings, words: str) -> str:
    if any(word in words.lower() for word in ("certificate", "ssl", "tls")):
        return "a proxy between may read along: give its certificate as SSL_CERT_FILE, or ask who runs the network"
    return f"check connections.{settings.name}.base_url, the network, and HTTPS_PROXY where there is a proxy"


def _skipped(*subjects: str) -> tuple[ProbeLine, ...]:
    return tuple(ProbeLine(subject, Grade.SKIPPED, UNSEEN) for subject in subjects)


async def _no_way(base_url: str) -> ProbeLine | None:
    """
    Tell at once when a host has no address or takes no connection, where the client would try for long.

    Behind a proxy only the proxy can tell, so then nothing is asked here.
    """
    parts = urlsplit(base_url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    if getproxies().get(parts.scheme) and not proxy_bypass(host):
        return None
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_S):
            await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError) as error:
        words = f"{host} has no address (DNS): {_reason(error)}"
        return ProbeLine("reachable", Grade.FAILED, words, "check base_url for a slip, and whether there is a network")
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError) as error:
        words = f"{host} takes no connection on port {port} (TCP): {_reason(error)}"
        advice = "check base_url and its port, and whether a firewall or a proxy (HTTPS_PROXY) stands between"
        return ProbeLine("reachable", Grade.FAILED, words, advice)
    writer.close()
    return None


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"nothing within {CONNECT_S:.0f} s"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
