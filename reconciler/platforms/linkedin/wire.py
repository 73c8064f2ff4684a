"""
LinkedIn's JSON and our canonical specs, both ways; and the calls that change an experiment. No I/O.

A patch replaces whole top-level fields, so `cells` always travels whole; a description is cleared with `$delete`
(assumed: the page documents `$set` alone, and Rest.li has no null for optional fields).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.errors import BadAnswer
from reconciler.model.change import Call, Change, FieldChange, Purpose
from reconciler.model.kind import top_level
from reconciler.model.resource import NOTHING, Live, Spec
from reconciler.model.time import from_epoch_ms, iso
from reconciler.platforms.linkedin import facts
from reconciler.platforms.linkedin.values import canonical_text, epoch_ms, moment

WRITABLE = (
    "account",
    "name",
    "description",
    "keyMetric",
    "confidence",
    "autoStop",
    "userIntendedState",
    "scheduledStartAt",
    "scheduledEndAt",
    "cells",
)
"""The writable top-level fields, in the order in which they are sent."""
TIMES = frozenset({"scheduledStartAt", "scheduledEndAt"})
EXTRA = ("endedAt", "terminationReason")
"""What is kept of an answer beside the spec: when it ended, and by whom."""
_REQUIRED = frozenset(WRITABLE) - {"description", "autoStop"}
_PARTIAL_UPDATE = {"X-RestLi-Method": "partial_update"}
_CANCEL = {"patch": {"$set": {"userIntendedState": "CANCELED"}}}


# --- reading -------------------------------------------------------------------------------------------------------


def from_wire(body: Mapping[str, Any], account: str = "") -> Live:
    """
    Read one experiment.

    Unknown keys and unknown enum values are let through (LinkedIn may add them without notice); null counts as absent,
    an empty description too, an absent autoStop as AUTO_STOP_AT_END_DATE. A DRAFT may be incomplete, and without an
    execution state it is PENDING (assumed). Raises BadAnswer when a field is missing or of another type.
    """
    if not isinstance(body, Mapping):
        raise BadAnswer(f"LinkedIn's answer holds {type(body).__name__} where an experiment was expected")
    stated = {key: value for key, value in body.items() if value is not None}
    remote_id = _remote_id(stated)
    state = stated.get("userIntendedState")
    missing = sorted(_REQUIRED - stated.keys() - ({"account"} if account else set()))
    if missing and state != "DRAFT":
        raise BadAnswer(f"LinkedIn's answer for experiment {remote_id} lacks {', '.join(missing)}")
    where = f"experiment {remote_id}"
    spec: Spec = {"account": account} if account else {}
    for key in WRITABLE:
        if key not in stated:
            continue
        value = stated[key]
        if key == "cells":
            spec[key] = _cells(value, where)
        elif key in TIMES:
            spec[key] = _time(_whole(value, key, where), key, where)
        elif key == "confidence":
            spec[key] = _whole(value, key, where)
        elif text := _text(value, key, where):
            spec[key] = text
    spec.setdefault("autoStop", facts.DEFAULT_AUTO_STOP)
    status = _text(stated.get("executionState", "PENDING" if state == "DRAFT" else ""), "executionState", where)
    return Live(
        remote_id=remote_id,
        status=status,
        spec=spec,
        name=spec.get("name", ""),
        account=spec.get("account", ""),
        over=status == "ENDED",
        start=moment(spec.get("scheduledStartAt")),
        end=moment(spec.get("scheduledEndAt")),
        extra={key: stated[key] for key in EXTRA if key in stated} or NOTHING,
    )


def _remote_id(stated: Mapping[str, Any]) -> str:
    value = stated.get("id")
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return value
    return str(_whole(value, "id", "an experiment"))


def _whole(value: Any, key: str, where: str) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadAnswer(f"LinkedIn's answer for {where} has {key} {value!r} where a whole number was expected")
    return value


def _time(milliseconds: int, key: str, where: str) -> str:
    try:
        return iso(from_epoch_ms(milliseconds))
    except ValueError as error:
        raise BadAnswer(f"LinkedIn's answer for {where} has {key} {milliseconds}, which is no time: {error}") from None


def _text(value: Any, key: str, where: str) -> str:
    if not isinstance(value, str):
        raise BadAnswer(f"LinkedIn's answer for {where} has {key} {value!r} where text was expected")
    return canonical_text(value)


def _cells(value: Any, where: str) -> list[Spec]:
    if not isinstance(value, list):
        raise BadAnswer(f"LinkedIn's answer for {where} has cells of type {type(value).__name__}, not a list")
    return [_cell(cell, f"{where}, cell {number}") for number, cell in enumerate(value, 1)]


def _cell(cell: Any, where: str) -> Spec:
    reference = cell.get("reference") if isinstance(cell, Mapping) else None
    if not isinstance(reference, Mapping):
        raise BadAnswer(f"LinkedIn's answer for {where} has no reference to a campaign")
    spec: Spec = {"name": _text(cell.get("name") or "", "name", where)}
    if description := _text(cell.get("description") or "", "description", where):
        spec["description"] = description
    spec["trafficWeight"] = _whole(cell.get("trafficWeight"), "trafficWeight", where)
    spec["reference"] = {"campaign": _text(reference.get("campaign"), "reference.campaign", where)}
    return spec


# --- writing -------------------------------------------------------------------------------------------------------


def to_wire(spec: Mapping[str, Any], only: Sequence[str] = WRITABLE) -> dict[str, Any]:
    """Give the JSON of a canonical spec: times in epoch milliseconds, cleared (null) values left out."""
    return {key: _value(key, spec[key]) for key in WRITABLE if key in only and spec.get(key) is not None}


def _value(key: str, value: Any) -> Any:
    if key in TIMES:
        return epoch_ms(value)
    if key == "cells":
        return [_cell_to_wire(cell) for cell in value]
    return value


def _cell_to_wire(cell: Mapping[str, Any]) -> dict[str, Any]:
    body = {key: cell[key] for key in ("name", "description", "trafficWeight") if cell.get(key) is not None}
    return {**body, "reference": {"campaign": cell["reference"]["campaign"]}}


def create_calls(spec: Mapping[str, Any]) -> tuple[Call, ...]:
    """Give the one call that creates an experiment; a state not stated is sent as ACTIVE."""
    body = to_wire({"userIntendedState": facts.DEFAULT_INTENDED_STATE, **spec})
    return (Call("POST", facts.COLLECTION, Purpose.CREATE, body=body),)


def update_calls(live: Live, target: Mapping[str, Any], changes: Sequence[FieldChange]) -> tuple[Call, ...]:
    """Give the one patch that makes the changes: just the changed top-level fields, `cells` whole as in `target`."""
    tops = {top_level(change.path) for change in changes}
    set_ = to_wire(target, tuple(tops))
    cleared = sorted(tops - set_.keys())
    patch: dict[str, Any] = {}
    if set_:
        patch["$set"] = set_
    if cleared:
        patch["$delete"] = cleared
    if not patch:
        return ()
    return (Call("POST", path_of(live.remote_id), Purpose.UPDATE, headers=_PARTIAL_UPDATE, body={"patch": patch}),)


def end_calls(live: Live) -> tuple[Call, ...]:
    """
    Give LinkedIn's way of ending: PENDING is deleted, started is cancelled, ENDED needs nothing.

    An experiment that is already CANCELED and not yet ENDED needs nothing either; one whose execution state is not
    shown or not known is cancelled, which keeps its results.
    """
    path = path_of(live.remote_id)
    if live.status == "PENDING":
        return (Call("DELETE", path, Purpose.DELETE),)
    if live.over or is_ending(live):
        return ()
    return (Call("POST", path, Purpose.CANCEL, headers=_PARTIAL_UPDATE, body=_CANCEL),)


def is_ending(live: Live) -> bool:
    """Tell whether an experiment is cancelled and not ENDED yet."""
    return not live.over and live.spec.get("userIntendedState") == "CANCELED"


def validation_entity(target: Mapping[str, Any], live: Live | None) -> dict[str, Any]:
    """
    Give what the dry run is asked about: a new experiment without an id, or a stored one whole with its id (seed).

    Read-only fields other than the id are left out (assumed: they might be refused).
    """
    body = to_wire({"userIntendedState": facts.DEFAULT_INTENDED_STATE, **target})
    return body if live is None else {"id": int(live.remote_id), **body}


def path_of(remote_id: str) -> str:
    """Give the path of one experiment."""
    return f"{facts.COLLECTION}/{remote_id}"


def owns(call: Call, change: Change) -> bool:
    """Tell whether a call of a saved plan is one of those above, for the experiment and the fields of its change."""
    remote_id = change.remote_id or ""
    if not (remote_id.isascii() and remote_id.isdecimal()) or call.path != path_of(remote_id) or call.query:
        return False
    if call.purpose is Purpose.DELETE:
        return call.method == "DELETE" and not call.headers and call.body is None
    if call.method != "POST" or call.headers != _PARTIAL_UPDATE:
        return False
    if call.purpose is Purpose.CANCEL:
        return bool(call.body == _CANCEL)
    return call.purpose is Purpose.UPDATE and _owns_patch(call.body, change)


def _owns_patch(body: Any, change: Change) -> bool:
    patch = body.get("patch") if isinstance(body, Mapping) and body.keys() == {"patch"} else None
    if not isinstance(patch, Mapping) or not patch or not patch.keys() <= {"$set", "$delete"}:
        return False
    set_, cleared = patch.get("$set", {}), patch.get("$delete", [])
    if not isinstance(set_, Mapping) or not isinstance(cleared, list):
        return False
    tops = {top_level(item.path) for item in change.fields}
    wanted = to_wire(change.target or {}, tuple(tops))
    if not set_.keys() <= wanted.keys() or not {*map(str, cleared)} <= tops - wanted.keys():
        return False
    return all(
        _owns_cells(value, wanted[key]) if key == "cells" else value == wanted[key] for key, value in set_.items()
    )


def _owns_cells(sent: Any, wanted: Any) -> bool:
    """Tell whether cells are those wanted; a description that the manifest never stated is carried along."""
    campaigns = sorted(cell["reference"]["campaign"] for cell in wanted)
    return (
        isinstance(sent, list)
        and all(cell.keys() <= {"name", "description", "trafficWeight", "reference"} for cell in sent)
        and all(cell["reference"].keys() == {"campaign"} for cell in sent)
        and sorted(cell["reference"]["campaign"] for cell in sent) == campaigns
    )
