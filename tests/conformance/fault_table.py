"""
What platforms can do wrong, where, and how it has to end: the one source of the test, of `docs/faults.md` and of the
table in `docs/reliability.md`.

A fault is tried on every operation of every platform where it makes sense. What a run comes to is one of three ends;
exceptions from the usual end stand in `unusual`, each with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

End: TypeAlias = Literal["same run", "plain re-run", "clear error"]
SAME: End = "same run"
RERUN: End = "plain re-run"
ERROR: End = "clear error"
ENDS: Mapping[End, str] = {
    SAME: "the run converges by itself and ends with exit code 0",
    RERUN: "the run ends with exit code 1 and says why; the same command once more converges",
    ERROR: "every run ends with exit code 1 and says why, and sends no change, until the cause is gone; then the same "
    "command converges",
}

PLATFORMS = ("linkedin", "x-ads", "salesforce")
TITLES = {"linkedin": "LinkedIn", "x-ads": "X Ads", "salesforce": "Salesforce"}
READS = ("search", "read")
WRITES = ("create", "update", "action", "delete")
OPERATIONS: Mapping[str, str] = {
    "search": "the search for an experiment before it is created",
    "read": "the read of an experiment that is managed",
    "create": "create",
    "update": "update in place",
    "action": "an action on the life cycle (LinkedIn: cancel a running test; Salesforce: start)",
    "delete": "delete",
}
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "search": ("apply", "plan"),
    "read": ("apply", "plan", "drift"),
    **dict.fromkeys(WRITES, ("apply",)),
}
"""The commands that do an operation; plan and drift only read."""
NOT_THERE = frozenset({("x-ads", "action")})
"""X has no actions: tests there start, end and are deleted, and that is all."""


@dataclass(frozen=True)
class Fault:
    """
    One thing that goes wrong.

    `do` is the effect as a faults file says it; a mapping by platform where they differ. `deadline_s` shortens the
    client's deadline, so that a test need not wait for two minutes. `lasting` faults hit every request, others the
    first that fits. `says` is what the message of a failed run must hold.
    """

    name: str
    do: Mapping[str, Any]
    usual: End
    why: str
    operations: tuple[str, ...] = (*READS, *WRITES)
    platforms: tuple[str, ...] = PLATFORMS
    unusual: Mapping[tuple[str, str], tuple[End, str]] = field(default_factory=dict)
    lasting: bool = False
    deadline_s: float | None = None
    says: str = ""
    times: int = 1
    """How many fitting requests in a row are hit."""
    everywhere: bool = False
    """Whether it hits every request to the platform, before the operation too where that does no harm."""
    behind_write: int = 0
    """How many reads after the first write are hit, where it is reads that are."""

    def effect(self, platform: str) -> dict[str, Any]:
        """Give the effect for a platform."""
        own: dict[str, Any] = dict(self.do.get(platform) or self.do)
        return own


@dataclass(frozen=True)
class Row:
    """One fault on one operation of one platform, met by one command, and its documented end."""

    fault: Fault
    platform: str
    operation: str
    end: End
    why: str
    command: str = "apply"

    @property
    def id(self) -> str:
        """The name of its test."""
        return f"{self.fault.name} - {self.platform} - {self.command} - {self.operation}"


HTML = {"content-type": "text/html; charset=utf-8"}
_SEARCHED = "reads are repeated; after a write the platform is read first, and only what has not happened is sent again"
_REFUSED = "a definite no: nothing happened, the state is as it was"
_NO_ANSWER = "whether a write took effect is found out by reading; it is never sent twice on suspicion"


def _writes(end: End, why: str, *platforms: str) -> dict[tuple[str, str], tuple[End, str]]:
    return {(platform, operation): (end, why) for platform in platforms for operation in WRITES}


FAULTS: tuple[Fault, ...] = (
    Fault("408 request timeout", {"status": 408, "body": {}}, SAME, _SEARCHED),
    Fault(
        "409 WRITE_CONFLICT",
        {"status": 409, "body": {"status": 409, "code": "WRITE_CONFLICT", "message": "changed meanwhile"}},
        SAME,
        "the experiment is read again, and the call sent again when no managed field has moved",
        operations=("update", "action", "delete"),
        platforms=("linkedin",),
    ),
    Fault(
        "409 conflict",
        {
            "linkedin": {"status": 409, "body": {"status": 409, "code": "WRITE_CONFLICT", "message": "busy"}},
            "x-ads": {"status": 409, "body": {"errors": [{"code": "CONFLICT", "message": "busy"}]}},
            "salesforce": {"status": 409, "body": [{"errorCode": "CONFLICT", "message": "busy"}]},
        },
        RERUN,
        _REFUSED,
        operations=WRITES,
        unusual={
            ("linkedin", operation): (SAME, "WRITE_CONFLICT is resolved by reading")
            for operation in ("update", "action", "delete")
        },
        says="409",
    ),
    Fault(
        "423 locked",
        {"status": 423, "body": {"errors": [{"code": "LOCK_ACQUISITION_TIMEOUT", "message": "locked"}]}},
        SAME,
        "reads are repeated; X's page says that nothing was done, so a write goes out again after a wait",
        unusual=_writes(RERUN, "no page speaks of 423 there: a definite no", "linkedin", "salesforce"),
        says="423",
    ),
    Fault(
        "429, Retry-After in seconds",
        {"status": 429, "headers": {"Retry-After": "7"}, "body": {"message": "slow down"}},
        SAME,
        "nothing was done: it waits as told and sends again",
    ),
    Fault(
        "429, Retry-After as a date",
        {"status": 429, "headers": {"Retry-After": "@date+9"}, "body": {"message": "slow down"}},
        SAME,
        "nothing was done: it waits until then and sends again",
    ),
    Fault(
        "429, reset headers",
        {
            "status": 429,
            "headers": {"x-rate-limit-remaining": "0", "x-rate-limit-reset": "@epoch+9"},
            "body": {"errors": [{"code": "TOO_MANY_REQUESTS"}]},
        },
        SAME,
        "nothing was done: it waits until the reset and sends again",
    ),
    Fault(
        "429 without a word",
        {"status": 429, "body": {"message": "slow down"}},
        SAME,
        "nothing was done: it waits, each time twice as long, and sends again",
    ),
    Fault(
        "429 for longer than --max-wait",
        {"status": 429, "headers": {"Retry-After": "86400"}, "body": {}},
        ERROR,
        "the run ends before it waits, says until when, and lists what was not tried",
        lasting=True,
        says="--max-wait",
    ),
    *(
        Fault(f"{status} before the work", {"status": status, "body": "down"}, SAME, _SEARCHED)
        for status in (500, 502, 503, 504)
    ),
    *(
        Fault(f"{status} after the work", {"status": status, "body": "down", "commit": True}, SAME, _NO_ANSWER, WRITES)
        for status in (408, 500, 502, 503)
    ),
    Fault(
        "504 after the work",
        {"status": 504, "body": "<html>gateway</html>", "headers": HTML, "commit": True},
        SAME,
        _NO_ANSWER,
        operations=WRITES,
    ),
    Fault(
        "503 that stays",
        {"status": 503, "body": "down"},
        ERROR,
        "five attempts at a read, three at a write, then the end",
        lasting=True,
        says="503",
    ),
    Fault("answer lost before the work", {"drop": "before"}, SAME, _NO_ANSWER),
    Fault("answer lost after the work", {"drop": "after"}, SAME, _NO_ANSWER, operations=WRITES),
    Fault("connection reset before the work", {"drop": "before", "reset": True}, SAME, _NO_ANSWER),
    Fault("connection reset after the work", {"drop": "after", "reset": True}, SAME, _NO_ANSWER, operations=WRITES),
    Fault("slow body", {"drip": 0.01}, SAME, "it is waited for, up to the deadline of the whole exchange"),
    Fault(
        "body slower than the deadline",
        {"drip": 0.2},
        SAME,
        "the deadline is for the whole exchange, not for each byte; then as for a lost answer",
        deadline_s=0.8,
    ),
    Fault(
        "work done after the deadline",
        {"delay": 1.5},
        SAME,
        "it takes effect after it was given up: the search, and what the platform refuses to make twice, leave one",
        deadline_s=0.7,
    ),
    Fault("body cut short", {"truncate": 9}, SAME, _NO_ANSWER),
    Fault(
        "web page with 200",
        {"status": 200, "body": "<html>please log in</html>", "headers": HTML},
        RERUN,
        "a read: it is no answer, so the plan is incomplete and nothing is sent",
        unusual=_writes(
            SAME, "it is no answer of the platform's: whether the write took effect is found out by reading", *PLATFORMS
        ),
        says="web page",
    ),
    Fault(
        "web page with 200, after the work",
        {"status": 200, "body": "<html>thank you</html>", "headers": HTML, "commit": True},
        SAME,
        _NO_ANSWER,
        operations=WRITES,
    ),
    Fault(
        "stale reads after the write",
        {"stale": True},
        SAME,
        "it is looked again for some seconds, and nothing is sent twice",
        operations=WRITES,
        behind_write=2,
    ),
    Fault(
        "token expired in the middle",
        {
            "linkedin": {
                "status": 401,
                "body": {"status": 401, "code": "EXPIRED_ACCESS_TOKEN", "message": "The token has expired"},
            },
            "salesforce": {
                "status": 401,
                "body": [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}],
            },
        },
        SAME,
        "one new token, the call once more",
        platforms=("salesforce",),
    ),
    Fault(
        "token expired, and the new one too",
        {"status": 401, "body": [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]},
        RERUN,
        "a second 401 is not answered with a third token: nothing more is sent through the connection",
        platforms=("salesforce",),
        times=2,
        says="not authorised",
    ),
    Fault(
        "token expired, and there is no other",
        {"status": 401, "body": {"status": 401, "code": "EXPIRED_ACCESS_TOKEN", "message": "expired"}},
        ERROR,
        "nothing more is sent through the connection, the rest is listed as not tried",
        lasting=True,
        says="not authorised",
    ),
    *(
        Fault(
            f"clock of the platform ten minutes {word}",
            {"clock": seconds},
            SAME,
            "waits are reckoned by the platform's own Date header, and times are sent as the manifest has them",
            unusual={
                ("x-ads", operation): (
                    ERROR,
                    "X refuses signatures more than five minutes away from its clock; the message names the clock",
                )
                for operation in OPERATIONS
            },
            lasting=True,
            everywhere=True,
            says="clock",
        )
        for word, seconds in (("ahead", 600), ("behind", -600))
    ),
    Fault(
        "job stuck in Processing",
        {"job": 400},
        RERUN,
        "it is waited for, five minutes; then it is left to the next run, which finds it and goes on",
        operations=("create", "action", "delete"),  # an edit of the label is done at once (seed)
        platforms=("salesforce",),
        says="still at work on it",
    ),
)


def rows() -> Iterator[Row]:
    """Give every row of the table."""
    for fault in FAULTS:
        for platform in fault.platforms:
            for operation in fault.operations:
                if (platform, operation) not in NOT_THERE:
                    end, why = fault.unusual.get((platform, operation), (fault.usual, fault.why))
                    for command in COMMANDS[operation]:
                        yield Row(fault, platform, operation, end, why, command)
