"""One request as it goes out: a ready-made path and query, the headers that count, the body's bytes."""

from __future__ import annotations

import json as jsonlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.platforms.ratelimit import Holds

_READY = re.compile(r'/["!$-~]*')
"""A path and a query of printable ASCII without a fragment."""


@dataclass
class Outgoing:
    """One call on its way: what to send, how long it has waited and how often it went out so far."""

    method: str
    path: str
    target: str
    headers: dict[str, str]
    content: bytes | None
    write: bool
    waited_s: float = 0.0
    sends: int = 0
    key: str = field(init=False)

    def __post_init__(self) -> None:
        self.key = f"call {id(self)}"

    @property
    def endpoint(self) -> str:
        """The quota that a call counts against: all writes together, reads by path (x-ads.md 8)."""
        return "writes" if self.write else f"read {self.path}"

    @property
    def hold_keys(self) -> tuple[str, str, str]:
        """The holds that concern this call: everyone's, its endpoint's, its own."""
        return (Holds.EVERYONE, self.endpoint, self.key)


def outgoing(
    method: str,
    path: str,
    query: str,
    headers: Sequence[Mapping[str, str]],
    json: Any,
    content: bytes | None,
    *,
    write: bool,
) -> Outgoing:
    """
    Make a request. Later `headers` override earlier ones, whatever their case; `json` brings its own Content-Type.

    Raises ValueError when path and query are not ready-made (blanks, control characters, anything beyond ASCII, `#`),
    and for JSON that cannot be sent (NaN).
    """
    target = f"{path}?{query}" if query else path
    if _READY.fullmatch(target) is None:
        raise ValueError(f"not a ready-made path and query: {target!r}")
    merged: dict[str, tuple[str, str]] = {}
    body = content
    if json is not None:
        body = jsonlib.dumps(json, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        merged["content-type"] = ("Content-Type", "application/json")
    for part in headers:
        merged.update({name.lower(): (name, value) for name, value in part.items()})
    return Outgoing(method, path, target, dict(merged.values()), body, write)
