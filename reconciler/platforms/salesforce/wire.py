"""
Salesforce's JSON and ours: what an answer means, and which requests bring a change about.

The page documents the resource in several versions that contradict each other; reading takes every variant, writing
uses the one of the seed page and of the Experiment Input (doc D6).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from reconciler.errors import BadAnswer
from reconciler.model.change import Call, Change, FieldChange, Purpose
from reconciler.model.kind import top_level
from reconciler.model.resource import NOTHING, Live, Spec
from reconciler.platforms.salesforce import lifecycle
from reconciler.platforms.salesforce.canonical import canonical_spec
from reconciler.platforms.salesforce.facts import BUSY_STATUSES, FAILED_STATUSES, RESOURCE, WEIGHT_SUM

BODY_KEYS: Final = (
    "name",
    "label",
    "description",
    "dataSpaceName",
    "profileDataGraphName",
    "schemaName",
    "schemaEnum",
    "source",
    "sourceRecordId",
    "cohorts",
    "primaryMetrics",
    "secondaryMetrics",
    "criteria",
    "minimumRequiredParticipants",
    "chanceToWinThreshold",
    "minimumDurationInMinutes",
    "maximumDurationInMinutes",
    "winnerSelectionMode",
    "scheduleFrequencyInMinutes",
    "parameters",
)
"""The keys of the Experiment Input; any other key in a body is refused (400, third-party T2)."""

EXTRA: Final = ("startedDate", "stoppedDate", "lastAnalyzed")
"""What is kept of an answer beside the spec: when it ran, and was looked at."""
_METRIC_KEYS: Final = ("metricType", "metricName", "engagementSignalName", "higherIsBetter")
_ITEM_KEYS: Final = {
    "cohorts": (
        "name",
        "label",
        "description",
        "isControl",
        "isFallThrough",
        "allocationWeight",
        "personalizerName",
        "attributeValues",
    ),
    "attributeValues": ("attributeName", "attributeEnum", "value"),
    "primaryMetrics": (*_METRIC_KEYS, "overallScoreWeight"),
    "secondaryMetrics": _METRIC_KEYS,
    "parameters": ("engagementSignalName", "parameterName", "values"),
}
_NEVER_NULL: Final = frozenset({"attributeName", "attributeEnum", "engagementSignalName"})
_TOLD_APART_BY: Final = frozenset(
    {"name", "attributeName", "attributeEnum", "metricType", "metricName", "engagementSignalName", "parameterName"}
)
_INTEGERS: Final = frozenset(
    {
        "minimumRequiredParticipants",
        "minimumDurationInMinutes",
        "maximumDurationInMinutes",
        "scheduleFrequencyInMinutes",
        "allocationWeight",
        "overallScoreWeight",
    }
)
_WORDS_OF_FAILURE: Final = ("statusMessage", "errorMessage", "failureReason", "message", "error")


# --- reading -------------------------------------------------------------------------------------------------------


def read_experiment(body: Mapping[str, Any]) -> Live:
    """
    Give the experiment that an answer shows.

    Absent, null and (for text that can be cleared) empty are the same and left out of the spec; unknown keys are
    ignored; unknown enum values stay as they are. Raises BadAnswer when name or state is missing or a list is none.
    """
    if not isinstance(body, Mapping):
        raise BadAnswer(f"an experiment was expected, not {type(body).__name__}")
    name, state = _text(body, "name"), _text(body, "state")
    stated: dict[str, Any] = {}
    for key in BODY_KEYS:
        value = _shown(body, key)
        if key in _ITEM_KEYS and value is not None:
            value = [_read_item(key, item) for item in _items(key, value)]
        if value is not None and value != []:
            stated[key] = _whole(key, value)
    stated["name"] = name
    _fill_sole_weight(stated.get("primaryMetrics"))
    spec = {key: value for key, value in canonical_spec(stated).items() if value is not None}
    status = str(body.get("status"))
    identifier = body.get("id")
    return Live(
        remote_id=identifier if isinstance(identifier, str) else "",
        status=state,
        spec={**spec, "state": state},
        name=str(spec["name"]),
        children=_children(body),
        over=state == "Archived",
        busy=status if status in BUSY_STATUSES else "",
        failure=_failure(body) if status in FAILED_STATUSES else "",
        owned_elsewhere=body.get("isRemote") is True,
        extra={key: body[key] for key in EXTRA if body.get(key) is not None} or NOTHING,
    )


def _shown(body: Mapping[str, Any], key: str) -> Any:
    """Give the value of a key under any of the names that the pages use for it."""
    value = body.get(key)
    if value is None and key == "sourceRecordId":
        return body.get("sourceReferenceId")  # doc D9
    if value is None and key == "primaryMetrics":
        single = body.get("primaryMetric")  # doc D2 D9
        return [single] if isinstance(single, Mapping) else single
    return value


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value:
        raise BadAnswer(f"an experiment with a {key} was expected, found {key}: {value!r:.60}")
    return value


def _items(key: str, value: Any) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise BadAnswer(f"{key}: a list of objects was expected")
    return value


def _read_item(list_key: str, item: Mapping[str, Any]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for key in _ITEM_KEYS[list_key]:
        value = item.get("HigherIsBetter") if key == "higherIsBetter" and key not in item else item.get(key)  # doc D8
        if key in _ITEM_KEYS and value is not None:
            value = [_read_item(key, inner) for inner in _items(key, value)]
        if value is None or (value == [] and key != "values") or (value == "" and key != "value"):
            continue
        if key in _TOLD_APART_BY and not isinstance(value, str):
            raise BadAnswer(f"{list_key}: {key} is {type(value).__name__}, not text")
        read[key] = _whole(key, value)
    return read


def _whole(key: str, value: Any) -> Any:
    return int(value) if key in _INTEGERS and isinstance(value, float) and value.is_integer() else value


def _fill_sole_weight(metrics: list[dict[str, Any]] | None) -> None:
    """A sole primary metric weighs 10000 where the answer leaves its weight out (seed; doc D2 shows it without)."""
    if metrics and len(metrics) == 1:
        metrics[0].setdefault("overallScoreWeight", WEIGHT_SUM)


def _children(body: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    ids = [cohort.get("id") for cohort in body.get("cohorts") or []]
    return {"cohorts": tuple(map(str, ids))} if ids and all(isinstance(item, str) for item in ids) else NOTHING


def _failure(body: Mapping[str, Any]) -> str:
    """Give the failed status with the platform's words, where there are any (no page says under which key)."""
    words = next((body[key] for key in _WORDS_OF_FAILURE if isinstance(body.get(key), str) and body[key]), "")
    return f"{body['status']}: {words}" if words else str(body["status"])


# --- writing -------------------------------------------------------------------------------------------------------


def collection_path(api_version: str) -> str:
    """Give the path that experiments are created at."""
    return f"/services/data/v{api_version.removeprefix('v')}/{RESOURCE}/"


def experiment_path(api_version: str, id_or_name: str) -> str:
    """Give the path of one experiment, by record id or API name."""
    return collection_path(api_version) + quote(id_or_name, safe="")


def to_wire(spec: Spec, keys: Iterable[str] = BODY_KEYS, *, creating: bool = False) -> dict[str, Any]:
    """
    Give the body with the given keys of a spec, in the page's order: writable keys only, lists whole.

    A key that is not in the spec is cleared: text with null, a list with an empty one. A create leaves out nulls.
    """
    wanted = frozenset(keys)
    body: dict[str, Any] = {}
    for key in BODY_KEYS:
        value = spec.get(key)
        if key not in wanted or (creating and value is None):
            continue
        if key in _ITEM_KEYS:
            body[key] = _write_items(key, value or [], creating=creating)
        elif key == "criteria" and value is not None and not isinstance(value, str):
            body[key] = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        else:
            body[key] = value
    return body


def _write_items(list_key: str, items: Sequence[Mapping[str, Any]], *, creating: bool) -> list[dict[str, Any]]:
    if list_key == "cohorts":  # the first cohort is the control in Salesforce's own editor (doc D23)
        items = sorted(items, key=lambda cohort: cohort.get("isControl") is not True)
    return [_write_item(list_key, item, creating=creating) for item in items]


def _write_item(list_key: str, item: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for key in _ITEM_KEYS[list_key]:
        if key not in item:
            continue
        value = item[key]
        if key in _ITEM_KEYS and not (creating and value is None):
            written[key] = _write_items(key, value or [], creating=creating)
        elif value is not None or not (creating or key in _NEVER_NULL):
            written[key] = value
    return written


def create_calls(api_version: str, spec: Spec) -> tuple[Call, ...]:
    """Give the create and, where Started is wanted, the start in a request of its own (by name: no id is known yet)."""
    create = Call("POST", collection_path(api_version), Purpose.CREATE, body=to_wire(spec, creating=True))
    path = experiment_path(api_version, str(spec["name"]))
    started = lifecycle.actions("Created", "Started") if spec.get("state") == "Started" else ()
    return (create, *(_action_call(path, action) for action in started))


def update_calls(api_version: str, live: Live, target: Spec, changes: Sequence[FieldChange]) -> tuple[Call, ...]:
    """
    Give one PATCH with the changed top-level keys, then each action in a PATCH of its own.

    A request with both a body and `action` loses the action (doc D28), so the two are never mixed. Fields go first:
    all that may change before a start may not after it, and what may change before a stop may before an archive too.
    """
    path = experiment_path(api_version, live.remote_id or live.name)
    tops = {top_level(change.path) for change in changes}
    body = to_wire(target, tops)
    fields = (Call("PATCH", path, Purpose.UPDATE, body=body),) if body else ()
    wanted = str(target.get("state")) if "state" in tops else live.status
    return (*fields, *(_action_call(path, action) for action in lifecycle.actions(live.status, wanted)))


def end_calls(api_version: str, live: Live) -> tuple[Call, ...]:
    """Give a DELETE of what never started, else the way to Archived, where the results stay readable."""
    path = experiment_path(api_version, live.remote_id or live.name)
    if live.status == "Created":
        return (Call("DELETE", path, Purpose.DELETE),)
    return tuple(_action_call(path, action) for action in lifecycle.actions(live.status, "Archived"))


def _action_call(path: str, action: str) -> Call:
    return Call("PATCH", path, lifecycle.PURPOSES[action], query={"action": action}, body={})


def owns(api_version: str, call: Call, change: Change) -> bool:
    """Tell whether a call of a saved plan is one of those above, for the experiment and the fields of its change."""
    path = experiment_path(api_version, change.remote_id or "")
    if not change.remote_id or call.path != path or call.headers:
        return False
    if call.purpose is Purpose.DELETE:
        return call.method == "DELETE" and not call.query and call.body is None
    if call.method != "PATCH":
        return False
    if call.purpose is not Purpose.UPDATE:
        action = call.query.get("action", "")
        own = lifecycle.PURPOSES.get(action) is call.purpose
        return own and call.query == {"action": action} and call.body == {}
    tops = {top_level(item.path) for item in change.fields}
    if call.query or not isinstance(call.body, Mapping) or not call.body:
        return False
    wanted = to_wire(change.target or {}, tops)
    return call.body.keys() <= wanted.keys() and all(
        _owns_items(key, value) if key in _ITEM_KEYS else value == wanted[key] for key, value in call.body.items()
    )


def _owns_items(list_key: str, items: Any) -> bool:
    """Tell whether a list holds nothing but the keys of its items; what live alone states in them is carried along."""
    return isinstance(items, list) and all(
        isinstance(item, Mapping)
        and item.keys() <= set(_ITEM_KEYS[list_key])
        and all(_owns_items(key, value) for key, value in item.items() if key in _ITEM_KEYS and value is not None)
        for item in items
    )
