"""What goes over the wire: A/B tests as X writes them, and the calls that make, change and delete them. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from reconciler.errors import BadAnswer
from reconciler.model.change import Call, Change, FieldChange, Purpose
from reconciler.model.kind import top_level
from reconciler.model.resource import NOTHING, Live, Spec
from reconciler.model.time import canonical, iso, parse_time
from reconciler.platforms.x_ads.facts import COMPLETED, GROUP_KEYS, SIZE_STEP, USER_GROUPS

ID = "#id"
"""The key under which a group of a target carries its server-made id."""

_CREATE_KEYS = ("name", "description", "entity_type", "start_time", "end_time")
_UPDATE_KEYS = ("name", "description", "start_time", "end_time")

Same = Callable[[str, Any, Any], bool]


# --- canonical forms -------------------------------------------------------------------------------------------------


def canonical_spec(stated: Mapping[str, Any]) -> Spec:
    """Give the canonical form of a validated spec: times in UTC, sizes as text with two decimals, order kept."""
    spec: Spec = dict(stated)
    for name in ("start_time", "end_time"):
        if isinstance(spec.get(name), str):
            spec[name] = canonical(spec[name])
    if USER_GROUPS in spec:
        spec[USER_GROUPS] = [_canonical_group(group) for group in spec[USER_GROUPS]]
    return spec


def _canonical_group(group: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(group)
    if "size" in result:
        result["size"] = size_of(result["size"])
    if "entity_ids" in result:
        result["entity_ids"] = list(result["entity_ids"])
    return result


def size_of(value: Any) -> str:
    """
    Give a size as text with two decimals; X answers `"50.0"`, and once in its guide the number `50`.

    Raises ValueError for what is no number. A value with more decimals keeps them, so that it shows as a difference.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise ValueError(f"{value!r} is not a size")
    try:
        size = Decimal(str(value))
        rounded = size.quantize(SIZE_STEP)
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a size") from None
    if not size.is_finite():
        raise ValueError(f"{value!r} is not a size")
    return f"{rounded:.2f}" if rounded == size else f"{size.normalize():f}"


# --- reading ---------------------------------------------------------------------------------------------------------


def is_deleted(body: Mapping[str, Any]) -> bool:
    """Tell whether X says that a test is deleted; its `status` then stays what it was."""
    return body.get("deleted") is True


def live_of(body: Mapping[str, Any], account: str = "") -> Live:
    """
    Read one A/B test; what is missing counts as null, `entities` is not read (its ids are those of the groups).

    `account` is the one whose address the answer came from: the object itself does not name it.
    Raises BadAnswer when id, status, texts, times or groups are not of the documented shape.
    """
    if not isinstance(body, Mapping):
        raise BadAnswer(f"X answered with {type(body).__name__} where an A/B test was expected")
    remote_id, status = body.get("id"), body.get("status")
    if not isinstance(remote_id, str) or not remote_id or not isinstance(status, str):
        raise BadAnswer("X answered with an A/B test that has no id or no status")
    groups = body.get(USER_GROUPS)
    if not isinstance(groups, list) or not all(isinstance(group, Mapping) for group in groups):
        raise BadAnswer(f"A/B test {remote_id}: user_groups is not a list of objects")
    try:
        start, end = parse_time(str(body.get("start_time"))), parse_time(str(body.get("end_time")))
        read = [_group_of(group) for group in groups]
        name, description, entity_type = (_text(body, key) for key in ("name", "description", "entity_type"))
    except ValueError as error:
        raise BadAnswer(f"A/B test {remote_id}: {error}") from None
    spec: Spec = {"account_id": account} if account else {}
    spec |= {
        "name": name,
        "description": description,
        "entity_type": entity_type,
        "start_time": iso(start),
        "end_time": iso(end),
        USER_GROUPS: read,
    }
    ids = tuple(group["id"] for group in groups if isinstance(group.get("id"), str))
    return Live(
        remote_id=remote_id,
        status=status,
        spec=spec,
        name=name or "",
        account=account,
        children={USER_GROUPS: ids} if len(ids) == len(groups) else NOTHING,
        over=status == COMPLETED,
        start=start,
        end=end,
    )


def _group_of(group: Mapping[str, Any]) -> dict[str, Any]:
    entities = group.get("entity_ids") or ()
    if not isinstance(entities, (list, tuple)):
        raise ValueError("entity_ids of a group is not a list")
    return {
        "name": _text(group, "name"),
        "description": _text(group, "description"),
        "size": size_of(group.get("size")),
        "entity_ids": [str(entity) for entity in entities],
    }


def _text(body: Mapping[str, Any], key: str) -> str | None:
    value = body.get(key)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{key} is {type(value).__name__}, not text")
    return value


# --- calls -----------------------------------------------------------------------------------------------------------


def collection_path(api_version: str, account: str) -> str:
    """Give the address of an account's A/B tests."""
    return f"/{api_version}/accounts/{quote(account, safe='')}/ab_tests"


def resource_path(api_version: str, account: str, remote_id: str) -> str:
    """Give the address of one A/B test."""
    return f"{collection_path(api_version, account)}/{quote(remote_id, safe='')}"


def create_call(api_version: str, spec: Spec) -> Call:
    """Give the POST that makes a test: what the spec states, nulls left out."""
    body = {key: spec[key] for key in _CREATE_KEYS if spec.get(key) is not None}
    body[USER_GROUPS] = [_new_group(group) for group in spec[USER_GROUPS]]
    return Call("POST", collection_path(api_version, spec["account_id"]), Purpose.CREATE, body=body)


def update_call(
    api_version: str, live: Live, target: Spec, changes: Sequence[FieldChange], same: Same
) -> tuple[Call, ...]:
    """
    Give the one PUT that brings `live` to `target`, with the changed keys alone; nothing when no key changes.

    Same groups as before: the changed groups, each as `id` and changed keys, and the size of every group when one
    size changes (no page says whether the sum is taken over the request or the result). Groups added or removed: the
    whole list without ids, which X takes as making it anew.
    """
    tops = {top_level(change.path) for change in changes}
    body: dict[str, Any] = {key: target.get(key) for key in _UPDATE_KEYS if key in tops}
    if USER_GROUPS in tops:
        groups = _groups_body(live, target[USER_GROUPS], same)
        if groups:
            body[USER_GROUPS] = groups
    if not body:
        return ()
    account = live.account or target["account_id"]
    return (Call("PUT", resource_path(api_version, account, live.remote_id), Purpose.UPDATE, body=body),)


def delete_call(api_version: str, live: Live) -> Call:
    """Give the DELETE of a test; there is no way back, and a second one answers 404."""
    return Call("DELETE", resource_path(api_version, live.account, live.remote_id), Purpose.DELETE)


def owns(api_version: str, call: Call, change: Change) -> bool:
    """Tell whether a call of a saved plan is one of those above, for the test and the fields of its change."""
    target = change.target or {}
    accounts = {str(spec["account_id"]) for spec in (target, change.expected) if spec.get("account_id")}
    paths = {resource_path(api_version, account, change.remote_id or "") for account in accounts}
    if not change.remote_id or call.path not in paths or call.query or call.headers:
        return False
    if call.purpose is Purpose.DELETE:
        return call.method == "DELETE" and call.body is None
    if call.purpose is not Purpose.UPDATE or call.method != "PUT" or not isinstance(call.body, Mapping):
        return False
    tops = {top_level(item.path) for item in change.fields}
    if not call.body or not call.body.keys() <= tops & {*_UPDATE_KEYS, USER_GROUPS}:
        return False
    groups = call.body.get(USER_GROUPS, [])
    return _owns_groups(groups, target) and all(
        value == target.get(key) for key, value in call.body.items() if key != USER_GROUPS
    )


def _owns_groups(groups: Any, target: Spec) -> bool:
    entities = {str(entity) for group in target.get(USER_GROUPS) or () for entity in group.get("entity_ids") or ()}
    return isinstance(groups, list) and all(
        isinstance(group, Mapping)
        and group.keys() <= {"id", *GROUP_KEYS}
        and {str(entity) for entity in group.get("entity_ids") or ()} <= entities
        for group in groups
    )


def _groups_body(live: Live, wanted: Sequence[Mapping[str, Any]], same: Same) -> list[dict[str, Any]]:
    ids = live.children.get(USER_GROUPS, ())
    if sorted(str(group.get(ID)) for group in wanted) != sorted(ids):
        return [_new_group(group) for group in wanted]
    current = dict(zip(ids, live.spec[USER_GROUPS], strict=True))
    changed = {
        group[ID]: [key for key in GROUP_KEYS if _differs(key, group, current[group[ID]], same)] for group in wanted
    }
    resized = any("size" in keys for keys in changed.values())
    return [
        {"id": group[ID], **{key: group.get(key) for key in GROUP_KEYS if key in keys or (resized and key == "size")}}
        for group in wanted
        if (keys := changed[group[ID]]) or resized
    ]


def _differs(key: str, wanted: Mapping[str, Any], current: Mapping[str, Any], same: Same) -> bool:
    return not same(f"{USER_GROUPS}[].{key}", wanted.get(key), current.get(key))


def _new_group(group: Mapping[str, Any]) -> dict[str, Any]:
    return {key: group[key] for key in GROUP_KEYS if group.get(key) is not None}
