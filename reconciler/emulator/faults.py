"""
Faults: what an emulated platform does wrong on purpose, so that a client's recovery can be watched.

A fault is a pattern of requests and what happens to them. The text of a faults file is parsed elsewhere; here the
parsed list becomes frozen values, and a counter decides which request is hit.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from reconciler.emulator.errors import BadFaults

EFFECTS = frozenset(
    {
        *("status", "headers", "body", "commit", "delay", "drip", "drop", "reset", "truncate"),
        *("stale", "edit", "remove", "clock", "job", "limit"),
    }
)
"""The keys of `do` in a faults file."""
MATCHERS = frozenset({"platform", "method", "path", "query"})
"""The keys of `match`."""
Moment: TypeAlias = Literal["before", "after"]


@dataclass(frozen=True)
class Match:
    """Which requests a fault is for; None matches all. `path` and `query` are searched as regular expressions."""

    platform: str | None = None
    method: str | None = None
    path: re.Pattern[str] | None = None
    query: re.Pattern[str] | None = None

    def fits(self, platform: str, method: str, path: str, query: str) -> bool:
        """Tell whether a request is meant; `path` carries the platform's prefix, both texts are as sent."""
        if self.platform is not None and self.platform != platform:
            return False
        if self.method is not None and self.method != method.upper():
            return False
        if self.path is not None and not self.path.search(path):
            return False
        return self.query is None or self.query.search(query) is not None


@dataclass(frozen=True)
class Hand:
    """What a person does to one row: `changes` as the control page takes them; None removes it."""

    remote_id: str
    changes: Mapping[str, Any] | None


@dataclass(frozen=True)
class Limit:
    """So many calls in each window of so many whole seconds of real time."""

    calls: int
    window_s: int


@dataclass(frozen=True)
class Effect:
    """
    What happens to a request that is hit.

    `status` with `headers` and `body` is answered instead of the platform's answer; the request does not reach the
    platform, unless `commit` asks for that. Without `status`, `headers` are added to the platform's own answer.
    `delay_s` is waited first. `drop` closes the connection without an answer, before the platform saw the request or
    after it carried it out. `stale` lets a GET see the state before the latest write. `truncate` keeps that many
    bytes of the body and closes the connection. `reset` makes a `drop` a reset of the connection. `drip_s` is waited
    before each of the body's pieces, sixteen at most. `hands` is what a person does at the platform's own pages right
    after the request was carried out, before its answer leaves. `clock_s` shifts the platform's clock for the request.
    `job_s` is how long a job that the request begins takes (Salesforce: Processing, Deleting); None: as ever.
    `limit` is a rate limit over the requests that fit: within it answers tell what is left, beyond it they are 429.
    """

    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    delay_s: float = 0.0
    drop: Moment | None = None
    commit: bool = False
    stale: bool = False
    truncate: int | None = None
    reset: bool = False
    drip_s: float = 0.0
    hands: tuple[Hand, ...] = ()
    clock_s: float = 0.0
    job_s: float | None = None
    limit: Limit | None = None


@dataclass(frozen=True)
class Fault:
    """One rule: let `after` fitting requests pass, then hit `times` of them."""

    match: Match
    effect: Effect
    times: int = 1
    after: int = 0


@dataclass
class Faults:
    """Rules and how often each has seen and hit a request; the first rule that is due wins."""

    rules: tuple[Fault, ...] = ()
    real_time: Callable[[], float] = time.time
    _used: dict[int, tuple[int, int]] = field(default_factory=dict)
    _seen: dict[int, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, value: object) -> Faults:
        """Give the faults of a parsed faults file; raises BadFaults (a ValueError) that names the entry."""
        return cls(parse_faults(value))

    @property
    def want_history(self) -> bool:
        """Tell whether a rule needs the state before the latest write."""
        return any(rule.effect.stale for rule in self.rules)

    def take(self, platform: str, method: str, path: str, query: str) -> Effect | None:
        """Give what is to happen to this request, and count it; None when it goes through unharmed."""
        due: Effect | None = None
        for number, rule in enumerate(self.rules):
            if due is not None or not rule.match.fits(platform, method, path, query):
                continue
            seen = self._seen.get(number, 0)
            if seen < rule.after + rule.times:
                self._seen[number] = seen + 1
                if seen >= rule.after:
                    due = self._limited(number, rule.effect) if rule.effect.limit else rule.effect
        return due

    def _limited(self, number: int, effect: Effect) -> Effect:
        """Count a request under a rule's limit and give what comes of it: headers as X sends them, or a 429."""
        limit = effect.limit
        assert limit is not None
        window = int(self.real_time()) // limit.window_s
        seen, used = self._used.get(number, (window, 0))
        used = used + 1 if seen == window else 1
        self._used[number] = (window, used)
        told = {
            "x-rate-limit-limit": limit.calls,
            "x-rate-limit-remaining": max(limit.calls - used, 0),
            "x-rate-limit-reset": (window + 1) * limit.window_s,
        }
        headers = (*effect.headers, *((name, str(value)) for name, value in told.items()))
        over = used > limit.calls
        return replace(effect, headers=headers, status=429, body=b"") if over else replace(effect, headers=headers)


def parse_faults(value: object) -> tuple[Fault, ...]:
    """Give the rules of a parsed faults file, in order; raises BadFaults with the number of the entry and its flaw."""
    if not isinstance(value, list):
        raise BadFaults(f"faults: a list is expected, found {_kind(value)}")
    return tuple(_fault(entry, f"faults[{number}]") for number, entry in enumerate(value))


def _fault(entry: object, place: str) -> Fault:
    keys = _mapping(entry, place, {"match", "times", "after", "do"})
    if "do" not in keys:
        raise BadFaults(f"{place}: 'do' is missing")
    return Fault(
        match=_match(keys.get("match", {}), f"{place}.match"),
        effect=_effect(keys["do"], f"{place}.do"),
        times=_count(keys.get("times", 1), f"{place}.times", 1),
        after=_count(keys.get("after", 0), f"{place}.after", 0),
    )


def _match(value: object, place: str) -> Match:
    keys = _mapping(value, place, MATCHERS)
    for key, text in keys.items():
        if not isinstance(text, str):
            raise BadFaults(f"{place}.{key}: text is expected, found {_kind(text)}")
    platform = keys.get("platform")
    if platform is not None and platform not in ("linkedin", "x-ads", "salesforce"):
        raise BadFaults(f"{place}.platform: {platform!r} is none of linkedin, x-ads, salesforce")
    return Match(
        platform=platform,
        method=keys["method"].upper() if "method" in keys else None,
        path=_pattern(keys.get("path"), f"{place}.path"),
        query=_pattern(keys.get("query"), f"{place}.query"),
    )


def _effect(value: object, place: str) -> Effect:
    keys = _mapping(value, place, EFFECTS)
    if not keys:
        raise BadFaults(f"{place}: says nothing; one of {', '.join(sorted(EFFECTS))} is needed")
    status = keys.get("status")
    if status is not None:
        status = _count(status, f"{place}.status", 200)
        if status > 599:
            raise BadFaults(f"{place}.status: {status} is no final HTTP status (200 to 599)")
    drop = keys.get("drop")
    if drop not in (None, "before", "after"):
        raise BadFaults(f"{place}.drop: 'before' or 'after' is expected, found {drop!r}")
    if drop and status is not None:
        raise BadFaults(f"{place}: 'drop' and 'status' exclude each other")
    for needy in ("body", "commit"):
        if needy in keys and status is None:
            raise BadFaults(f"{place}: {needy!r} needs 'status'")
    if keys.get("reset") and drop is None:
        raise BadFaults(f"{place}: 'reset' needs 'drop'")
    truncate = keys.get("truncate")
    delay, drip = (_seconds(keys.get(name, 0), f"{place}.{name}", least=0) for name in ("delay", "drip"))
    headers, body = _headers(keys.get("headers", {}), f"{place}.headers"), b""
    if "body" in keys:
        text = keys["body"]
        body = text.encode() if isinstance(text, str) else json.dumps(text).encode()
        if not any(name.lower() == "content-type" for name, _ in headers):
            kind = "text/plain; charset=utf-8" if isinstance(text, str) else "application/json"
            headers = (*headers, ("content-type", kind))
    return Effect(
        status=status,
        headers=headers,
        body=body,
        delay_s=delay,
        drop=drop,
        commit=_flag(keys, "commit", place),
        stale=_flag(keys, "stale", place),
        truncate=None if truncate is None else _count(truncate, f"{place}.truncate", 0),
        reset=_flag(keys, "reset", place),
        drip_s=drip,
        hands=_hands(keys, place),
        clock_s=_seconds(keys.get("clock", 0), f"{place}.clock"),
        job_s=_seconds(keys["job"], f"{place}.job", least=0) if "job" in keys else None,
        limit=_limit(keys["limit"], f"{place}.limit") if "limit" in keys else None,
    )


def _limit(value: object, place: str) -> Limit:
    keys = _mapping(value, place, {"calls", "window"})
    if len(keys) != 2:
        raise BadFaults(f"{place}: 'calls' and 'window' (whole seconds) are both needed")
    return Limit(_count(keys["calls"], f"{place}.calls", 1), _count(keys["window"], f"{place}.window", 1))


def _hands(keys: Mapping[str, Any], place: str) -> tuple[Hand, ...]:
    edits, removed = keys.get("edit", {}), keys.get("remove", [])
    if not isinstance(edits, Mapping) or not all(isinstance(changes, Mapping) for changes in edits.values()):
        raise BadFaults(f"{place}.edit: ids with the fields to change are expected")
    if not isinstance(removed, list):
        raise BadFaults(f"{place}.remove: a list of ids is expected, found {_kind(removed)}")
    made = [Hand(str(remote_id), dict(changes)) for remote_id, changes in edits.items()]
    return (*made, *(Hand(str(remote_id), None) for remote_id in removed))


def _seconds(value: object, place: str, *, least: float = float("-inf")) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value:
        raise BadFaults(f"{place}: seconds are expected, found {value!r}")
    return float(value)


def _headers(value: object, place: str) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        raise BadFaults(f"{place}: a mapping is expected, found {_kind(value)}")
    return tuple((str(name), str(text)) for name, text in value.items())


def _mapping(value: object, place: str, allowed: AbstractSet[str]) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise BadFaults(f"{place}: a mapping is expected, found {_kind(value)}")
    for key in value:
        if key not in allowed:
            raise BadFaults(f"{place}: unknown key {key!r}; known are {', '.join(sorted(allowed))}")
    return dict(value)


def _pattern(text: str | None, place: str) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        raise BadFaults(f"{place}: {text!r} is no regular expression: {error}") from None


def _count(value: object, place: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise BadFaults(f"{place}: an integer from {least} up is expected, found {value!r}")
    return value


def _flag(keys: Mapping[str, Any], key: str, place: str) -> bool:
    value = keys.get(key, False)
    if not isinstance(value, bool):
        raise BadFaults(f"{place}.{key}: true or false is expected, found {value!r}")
    return value


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__
