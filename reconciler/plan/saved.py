"""
The plan as one JSON object: what `plan --format json` prints, what `--out` saves, and what `apply FILE` reads back.

The format is versioned: a reader takes any `1.x`, ignores keys that it does not know, and refuses another major
version. A file that is not a plan is refused with the place of the first thing that is wrong.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from reconciler.errors import PlanUnreadable
from reconciler.model.change import Action, Call, Change, FieldChange, Plan, PlanWarning, Purpose, Severity
from reconciler.model.resource import Key, Lifecycle, OnImmutableChange, OnRemoval
from reconciler.model.shard import Shard
from reconciler.model.strict_json import strict_json
from reconciler.model.time import iso, parse_time
from reconciler.plan.reader import Reader
from reconciler.plan.saved_budget import budget_to_json, quota_to_json, read_budget, read_quota
from reconciler.plan.saved_policies import notes_to_json, policies_to_json, read_digest, read_note

FORMAT_VERSION = "1.0"


def plan_digest(plan: Plan) -> str:
    """Give the digest by which a plan is named: that of the text that `plan --out` saves for it."""
    return f"sha256:{hashlib.sha256(dumps(plan).encode()).hexdigest()}"


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """Give a plan as JSON values; equal plans give equal bytes."""
    values = {
        "formatVersion": FORMAT_VERSION,
        "createdAt": iso(plan.created_at),
        "asOf": iso(plan.as_of),
        "validUntil": iso(plan.valid_until) if plan.valid_until else None,
        "environment": plan.environment,
        "complete": plan.complete,
        "summary": plan.summary,
        "changes": [_change_to_json(change) for change in plan.changes],
        "bookkeeping": [_change_to_json(change) for change in plan.bookkeeping],
        "warnings": [{"key": item.key or None, "message": item.message} for item in plan.warnings],
        "problems": list(plan.problems),
        "state": {"lineage": plan.state_lineage, "serial": plan.state_serial},
        "budget": [budget_to_json(item) for item in plan.budget],
        "quotas": [quota_to_json(item) for item in plan.quotas],
        **policies_to_json(plan),
    }
    if plan.shard is not None:
        index, count = plan.shard.index, plan.shard.count
        values["shard"] = {"index": index, "count": count, "evidence": dict(plan.shard.evidence)}
    return values


def dumps(plan: Plan) -> str:
    """Give a plan as the text of its JSON file."""
    return json.dumps(plan_to_json(plan), indent=2, ensure_ascii=False) + "\n"


def loads(text: str, source: str) -> Plan:
    """Read a saved plan; raises PlanUnreadable, naming `source`, for anything that is not one."""
    try:
        data = strict_json(text)
    except ValueError as error:
        raise PlanUnreadable(f"{source} is not a plan file: {error}; make one with plan --out FILE") from None
    try:
        return _plan(Reader(data, ""))
    except PlanUnreadable as error:
        raise PlanUnreadable(f"{source}: {error}; make a new one with plan --out FILE") from None


# --- writing ---------------------------------------------------------------------------------------------------------


def _change_to_json(change: Change) -> dict[str, Any]:
    return {
        "key": str(change.key),
        "platform": change.platform,
        "connection": change.connection,
        "remoteId": change.remote_id,
        "action": change.action.value,
        "intent": change.intent.value if change.intent else None,
        "status": change.status,
        "fields": [
            {
                "path": item.path,
                "before": item.before,
                "after": item.after,
                "drifted": item.drifted,
                "allowed": item.allowed,
                "reason": item.reason,
                "severity": item.severity.value,
            }
            for item in change.fields
        ],
        "calls": [
            {
                "method": call.method,
                "path": call.path,
                "query": dict(call.query),
                "headers": dict(call.headers),
                "body": call.body,
                "purpose": call.purpose.value,
            }
            for call in change.calls
        ],
        "reasons": list(change.reasons),
        "warnings": list(change.warnings),
        "validUntil": iso(change.valid_until) if change.valid_until else None,
        "destroys": change.destroys,
        "oldCalls": change.old_calls,
        "movedFrom": change.moved_from or None,
        "predecessors": list(change.predecessors),
        "after": [str(key) for key in change.after],
        "expected": change.expected,
        "desired": change.target,
        "lifecycle": {
            "onImmutableChange": change.lifecycle.on_immutable_change.value,
            "onRemoval": change.lifecycle.on_removal.value,
            "preventDestroy": change.lifecycle.prevent_destroy,
            "ignoreChanges": list(change.lifecycle.ignore_changes),
        },
        **notes_to_json(change),
    }


# --- reading ---------------------------------------------------------------------------------------------------------


def _plan(reader: Reader) -> Plan:
    version = reader.get("formatVersion").text()
    if version.split(".", 1)[0] != FORMAT_VERSION.split(".", 1)[0]:
        raise PlanUnreadable(f"formatVersion is {version!r}, this tool reads {FORMAT_VERSION.split('.', 1)[0]}.x")
    created_at = reader.get("createdAt").parsed(parse_time)
    as_of = reader.get("asOf").moment() or created_at
    summary = reader.get("summary")
    state = reader.get("state")
    changes = tuple(_change(item) for item in reader.get("changes").items())
    _check_order(changes)
    return Plan(
        created_at=created_at,
        as_of=as_of,
        changes=changes,
        bookkeeping=tuple(_change(item) for item in reader.get("bookkeeping").items()),
        no_ops=summary.get("no-op").number() if summary.value is not None else 0,
        environment=reader.get("environment").optional(),
        warnings=tuple(
            PlanWarning(item.get("key").optional() or "", item.get("message").text())
            for item in reader.get("warnings").items()
        ),
        problems=tuple(item.text() for item in reader.get("problems").items()),
        complete=reader.get("complete").flag(True),
        state_serial=state.get("serial").number() if state.value is not None else 0,
        state_lineage=(state.get("lineage").optional() or "") if state.value is not None else "",
        budget=tuple(read_budget(item) for item in reader.get("budget").items()),
        quotas=tuple(read_quota(item) for item in reader.get("quotas").items()),
        shard=_shard(reader.get("shard")),
        policies_digest=read_digest(reader.get("policies")),
    )


def _shard(reader: Reader) -> Shard | None:
    if reader.value is None:
        return None
    try:
        shard = Shard.parse(f"{reader.get('index').number()}/{reader.get('count').number()}")
    except ValueError as error:
        raise reader.fail(f"is wrong: {error}") from None
    return Shard(shard.index, shard.count, reader.get("evidence").mapping())


def _check_order(changes: tuple[Change, ...]) -> None:
    """Raise PlanUnreadable unless every key stands once and waits only for what goes before it."""
    earlier: set[Key] = set()
    for change in changes:
        if change.key in earlier:
            raise PlanUnreadable(f"{change.key} stands twice in the plan")
        for key in change.after:
            if key not in earlier:
                raise PlanUnreadable(f"{change.key} waits for {key}, which does not go before it in the plan")
        earlier.add(change.key)


def _change(reader: Reader) -> Change:
    intent = reader.get("intent")
    desired = reader.get("desired")
    action = reader.get("action").word(Action)
    calls = tuple(_call(item) for item in reader.get("calls").items())
    old_calls = reader.get("oldCalls").number()
    creates = action in (Action.CREATE, Action.REPLACE)
    if old_calls > len(calls) or (creates and old_calls == len(calls)) or (action is Action.BLOCKED and calls):
        raise reader.fail("has calls that do not go with its action")
    if action in (Action.UPDATE, Action.ADOPT, Action.REPLACE, Action.DELETE):
        reader.get("remoteId").text()
    if action in (Action.CREATE, Action.UPDATE, Action.REPLACE, Action.ADOPT) and desired.value is None:
        raise reader.get("desired").fail("is missing")
    return Change(
        key=reader.get("key").parsed(Key.parse),
        platform=reader.get("platform").text(),
        connection=reader.get("connection").text(),
        action=action,
        remote_id=reader.get("remoteId").optional(),
        status=reader.get("status").optional(),
        fields=tuple(_field(item) for item in reader.get("fields").items()),
        calls=calls,
        reasons=tuple(item.text() for item in reader.get("reasons").items()),
        warnings=tuple(item.text() for item in reader.get("warnings").items()),
        intent=intent.word(Action) if intent.value is not None else None,
        expected=reader.get("expected").mapping(),
        target=desired.mapping() if desired.value is not None else None,
        lifecycle=_lifecycle(reader.get("lifecycle")),
        old_calls=old_calls,
        predecessors=tuple(item.text() for item in reader.get("predecessors").items()),
        after=tuple(item.parsed(Key.parse) for item in reader.get("after").items()),
        valid_until=reader.get("validUntil").moment(),
        destroys=reader.get("destroys").flag(False),
        moved_from=_moved_from(reader.get("movedFrom")),
        policies=tuple(read_note(item) for item in reader.get("policies").items()),
    )


def _moved_from(reader: Reader) -> str:
    return "" if reader.value is None else str(reader.parsed(Key.parse))


def _field(reader: Reader) -> FieldChange:
    reader.mapping()
    severity = reader.get("severity")
    return FieldChange(
        path=reader.get("path").text(),
        before=reader.get("before").value,
        after=reader.get("after").value,
        drifted=reader.get("drifted").flag(False),
        allowed=reader.get("allowed").flag(True),
        reason=reader.get("reason").optional(),
        severity=severity.word(Severity) if severity.value is not None else Severity.HARMLESS,
    )


def _call(reader: Reader) -> Call:
    path = reader.get("path").text()
    if not path.startswith("/") or path.startswith("//"):
        raise reader.get("path").fail("is not a path below the connection's base URL")
    return Call(
        method=reader.get("method").text(),
        path=path,
        purpose=reader.get("purpose").word(Purpose),
        query={key: str(value) for key, value in reader.get("query").mapping().items()},
        headers={key: str(value) for key, value in reader.get("headers").mapping().items()},
        body=reader.get("body").value,
    )


def _lifecycle(reader: Reader) -> Lifecycle:
    if reader.value is None:
        return Lifecycle()
    return Lifecycle(
        on_immutable_change=reader.get("onImmutableChange").word(OnImmutableChange),
        on_removal=reader.get("onRemoval").word(OnRemoval),
        prevent_destroy=reader.get("preventDestroy").flag(False),
        ignore_changes=tuple(item.text() for item in reader.get("ignoreChanges").items()),
    )
