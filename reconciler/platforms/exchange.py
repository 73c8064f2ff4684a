"""One request and what came of it, as logs and audit records may show it: never a header, never a body."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from reconciler.platforms.urls import host_of

if TYPE_CHECKING:
    from reconciler.platforms.outgoing import Outgoing
    from reconciler.platforms.redact import Redactor
    from reconciler.platforms.response import Response
    from reconciler.platforms.tokens import TokenReply


@dataclass(frozen=True, slots=True)
class Exchange:
    """
    One request that was sent.

    `path` and `query` are masked and escaped. `status` is None when no answer came; `error` says why then. `ms` is how
    long it took, in milliseconds. `attempt` counts the times that this call went out, from 1. `write` says that it
    changes something; `token` that it asked for a token.
    """

    connection: str
    method: str
    host: str
    path: str
    query: str
    status: int | None
    ms: float
    request_id: str
    attempt: int
    write: bool
    token: bool = False
    error: str = ""


Trace: TypeAlias = Callable[[Exchange], None]
"""Is told of every exchange; must not raise."""


class Teller:
    """Tells a `Trace`, where there is one, of the exchanges of one connection, masked by its redactor."""

    def __init__(self, trace: Trace | None, connection: str, redact: Redactor) -> None:
        self._trace = trace
        self._connection = connection
        self._redact = redact

    def __call__(
        self,
        call: Outgoing,
        url: str,
        began: float,
        answer: Response | TokenReply | None,
        error: str = "",
        *,
        token: bool = False,
    ) -> None:
        """Tell of a call to `url`; `began` is on the monotonic clock, `error` says why there is no answer."""
        if self._trace is None:
            return
        parts = urlsplit(url)
        self._trace(
            Exchange(
                connection=self._connection,
                method=call.method,
                host=host_of(url),
                path=self._redact.excerpt(parts.path, 300),
                query=self._redact.excerpt(parts.query, 300),
                status=None if answer is None else answer.status,
                ms=round((time.monotonic() - began) * 1000, 1),
                request_id=getattr(answer, "request_id", ""),
                attempt=max(call.sends, 1),
                write=call.write,
                token=token,
                error=self._redact.excerpt(error, 300),
            )
        )
