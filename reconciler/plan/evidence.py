"""What a shard has read, as JSON values in its plan file, and read back from there when the shards are merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.model.budget import Quota
from reconciler.model.resource import Found, Gone, Key, Live, Reading, Unknown
from reconciler.model.time import iso
from reconciler.plan.inputs import Other
from reconciler.plan.reader import Reader
from reconciler.plan.saved_budget import quota_to_json, read_quota
from reconciler.platforms.session import Preflight, PreflightFinding


def reading_to_json(reading: Reading) -> dict[str, Any]:
    """Give one reading, with all that a plan may look at."""
    match reading:
        case Found(live):
            return {"live": live_to_json(live)}
        case Gone(proof):
            return {"gone": proof}
        case Unknown(reason, unlisted):
            return {"unknown": reason, "unlisted": unlisted}


def live_to_json(live: Live) -> dict[str, Any]:
    """Give what is live of one experiment; what is empty is left out."""
    values = {
        "remoteId": live.remote_id,
        "status": live.status,
        "spec": live.spec,
        "name": live.name,
        "account": live.account,
        "children": {name: list(ids) for name, ids in live.children.items()},
        "over": live.over,
        "busy": live.busy,
        "failure": live.failure,
        "ownedElsewhere": live.owned_elsewhere,
        "start": iso(live.start) if live.start else None,
        "end": iso(live.end) if live.end else None,
        "extra": dict(live.extra),
    }
    return {name: value for name, value in values.items() if value not in (None, "", False, {})}


def preflight_to_json(answer: Preflight) -> dict[str, Any]:
    """Give what one connection's own check said."""
    return {
        "findings": {
            str(key): [
                {"code": item.code, "message": item.message, "isError": item.is_error, "entity": item.entity}
                for item in found
            ]
            for key, found in answer.findings.items()
        },
        "refused": {sentence: [str(key) for key in keys] for sentence, keys in answer.refused.items()},
        "warnings": list(answer.warnings),
    }


def other_to_json(other: Other) -> dict[str, Any]:
    """Give a live experiment that was met on the way."""
    return {"connection": other.connection, "live": live_to_json(other.live)}


def quotas_to_json(quotas: Iterable[Quota]) -> list[dict[str, Any]]:
    """Give the quotas that answers told of."""
    return [quota_to_json(quota) for quota in sorted(quotas, key=lambda quota: (quota.connection, quota.what))]


# --- reading ---------------------------------------------------------------------------------------------------------


def read_readings(reader: Reader) -> dict[Key, Reading]:
    """Read what was read of each experiment; raises PlanUnreadable for anything else, as all below do."""
    return {_key(name, reader): _reading(reader.get(name)) for name in reader.mapping()}


def _key(text: str, reader: Reader) -> Key:
    try:
        return Key.parse(text)
    except ValueError as error:
        raise reader.fail(f"is wrong: {error}") from None


def _reading(reader: Reader) -> Reading:
    if reader.get("live").value is not None:
        return Found(_live(reader.get("live")))
    if reader.get("gone").value is not None:
        return Gone(reader.get("gone").text())
    return Unknown(reader.get("unknown").text(), reader.get("unlisted").flag(False))


def _live(reader: Reader) -> Live:
    children = reader.get("children")
    return Live(
        remote_id=reader.get("remoteId").text(),
        status=reader.get("status").optional() or "",
        spec=reader.get("spec").mapping(),
        name=reader.get("name").optional() or "",
        account=reader.get("account").optional() or "",
        children={name: tuple(item.text() for item in children.get(name).items()) for name in children.mapping()},
        over=reader.get("over").flag(False),
        busy=reader.get("busy").optional() or "",
        failure=reader.get("failure").optional() or "",
        owned_elsewhere=reader.get("ownedElsewhere").flag(False),
        start=reader.get("start").moment(),
        end=reader.get("end").moment(),
        extra=reader.get("extra").mapping(),
    )


def read_others(reader: Reader) -> tuple[Other, ...]:
    """Read the live experiments that were met on the way."""
    return tuple(Other(item.get("connection").text(), _live(item.get("live"))) for item in reader.items())


def read_preflights(reader: Reader) -> dict[str, Preflight]:
    """Read what the platforms' own checks said, by connection."""
    return {connection: _preflight(reader.get(connection)) for connection in reader.mapping()}


def _preflight(reader: Reader) -> Preflight:
    findings, refused = reader.get("findings"), reader.get("refused")
    return Preflight(
        findings={_key(name, findings): _findings(findings.get(name)) for name in findings.mapping()},
        warnings=tuple(item.text() for item in reader.get("warnings").items()),
        refused={
            sentence: tuple(_key(item.text(), item) for item in refused.get(sentence).items())
            for sentence in refused.mapping()
        },
    )


def _findings(reader: Reader) -> tuple[PreflightFinding, ...]:
    return tuple(
        PreflightFinding(
            item.get("code").text(),
            item.get("message").text(),
            item.get("isError").flag(False),
            item.get("entity").optional() or "",
        )
        for item in reader.items()
    )


def read_quotas(reader: Reader) -> tuple[Quota, ...]:
    """Read the quotas that answers told of."""
    return tuple(read_quota(item) for item in reader.items())


def merged_preflights(parts: Iterable[Mapping[str, Preflight]]) -> dict[str, Preflight]:
    """Give the answers of several shards as one."""
    merged: dict[str, Preflight] = {}
    for part in parts:
        for connection, answer in part.items():
            before = merged.get(connection, Preflight())
            refused = dict(before.refused)
            for sentence, keys in answer.refused.items():
                refused[sentence] = (*refused.get(sentence, ()), *keys)
            merged[connection] = Preflight(
                {**before.findings, **answer.findings}, (*before.warnings, *answer.warnings), refused
            )
    return {connection: merged[connection] for connection in sorted(merged)}
