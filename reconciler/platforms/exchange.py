"""One request and what came of it, as logs and audit records may show it: never a header, never a body."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from reconciler.platforms.urls import host_of

if TYPE_CHECKING:
    from reconciler.platforms.outgoing import Outgoing
    from reconciler.platforms.redact import Redactor
    from reconciler.platforms.response import Response
    from reconciler.platforms.tokens import TokenReply


KEY: ContextVar[str] = ContextVar("key", default="")
"""The experiment that the requests of a task are about; empty for those about several."""
TOLD_HEADERS = (
    "x-restli-id",
    "x-rate-limit-limit",
    "x-rate-limit-remaining",
    "x-rate-limit-reset",
    "x-account-rate-limit-limit",
    "x-account-rate-limit-remaining",
    "x-account-rate-limit-reset",
    "sforce-limit-info",
    "retry-after",
)
"""The header fields of an answer that may be shown, beside its request id: ids and quotas (linkedin.md 10.1, x-ads.md
8, salesforce.md 9). No other is."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """
    One request that was sent.

    `path` and `query` are masked and escaped. `status` is None when no answer came; `error` says why then. `ms` is how
    long it took, in milliseconds. `attempt` counts the times that this call went out, from 1. `write` says that it
    changes something; `token` that it asked for a token. `origin` is scheme, host and port. `key` is the experiment
    that is being changed. `sent` is the SHA-256 of the body of a write. `told` are header fields of the answer, those
    of TOLD_HEADERS alone.
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
    origin: str = ""
    key: str = ""
    sent: str = ""
    told: Mapping[str, str] = field(default_factory=dict)


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
        fields: Mapping[str, str] = getattr(answer, "headers", {})
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
                origin=_origin(url),
                key=KEY.get(),
                sent=f"sha256:{hashlib.sha256(call.content).hexdigest()}" if call.write and call.content else "",
                told={name: self._redact.excerpt(fields[name], 100) for name in TOLD_HEADERS if fields.get(name)},
            )
        )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host_of(url)}{port}"
