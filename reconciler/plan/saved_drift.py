"""A drift report read back from what `drift --format json` printed, for the comment or the issue that tells of it."""

from __future__ import annotations

from reconciler.errors import PlanUnreadable
from reconciler.model.resource import Key
from reconciler.model.strict_json import strict_json
from reconciler.plan.drift import Drift, DriftKind, DriftReport, FieldDrift, Unmanaged
from reconciler.plan.reader import Reader

_MAJOR = "1"


def drift_loads(text: str, source: str) -> DriftReport:
    """
    Read a drift report; raises PlanUnreadable, naming `source`, for anything that is not one.

    A report that says that it is not complete has at least one problem, so that it never reads as "no drift".
    """
    advice = "make one with: reconciler drift --format json"
    try:
        data = strict_json(text)
    except ValueError as error:
        raise PlanUnreadable(f"{source} is not a drift report: {error}; {advice}") from None
    try:
        return _report(Reader(data, ""))
    except PlanUnreadable as error:
        raise PlanUnreadable(f"{source}: {error}; {advice}") from None


def _report(reader: Reader) -> DriftReport:
    version = reader.get("formatVersion").text()
    if version.split(".", 1)[0] != _MAJOR:
        raise PlanUnreadable(f"formatVersion is {version!r}, this tool reads {_MAJOR}.x")
    if not isinstance(reader.get("drift").value, list):
        raise reader.get("drift").fail("is not a list")
    problems = tuple(item.text() for item in reader.get("problems").items())
    complete = reader.get("complete").flag(True)
    if not problems and not complete:
        problems = ("the report says that it is not complete",)
    return DriftReport(
        drift=tuple(_drift(item) for item in reader.get("drift").items()),
        progress=tuple(_drift(item) for item in reader.get("progress").items()),
        unmanaged=tuple(_unmanaged(item) for item in reader.get("unmanaged").items()),
        problems=problems,
        checked=reader.get("checked").number(),
    )


def _drift(reader: Reader) -> Drift:
    return Drift(
        key=reader.get("key").parsed(Key.parse),
        platform=reader.get("platform").text(),
        connection=reader.get("connection").text(),
        remote_id=reader.get("remoteId").text(),
        kind=reader.get("kind").word(DriftKind),
        status=reader.get("status").optional(),
        fields=tuple(_field(item) for item in reader.get("fields").items()),
    )


def _field(reader: Reader) -> FieldDrift:
    reader.mapping()
    return FieldDrift(reader.get("path").text(), reader.get("applied").value, reader.get("live").value)


def _unmanaged(reader: Reader) -> Unmanaged:
    names = ("platform", "connection", "account", "remoteId", "name", "status")
    return Unmanaged(*(reader.get(name).text() for name in names))
