"""What must hold between the fields of one experiment, and what the platform fills in where a body left it open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from reconciler.emulator.salesforce.errors import Problem
from reconciler.emulator.salesforce.shape import out_of_range
from reconciler.emulator.salesforce.tables import setting, table
from reconciler.emulator.world import Row, World

FULL_WEIGHT = 10_000
MAX_FLOW_COHORTS = 10
_AUTOMATIC_RANGES = {
    "minimumRequiredParticipants": (300, 5000),
    "minimumDurationInMinutes": (60, 129_600),
    "maximumDurationInMinutes": (60, 129_600),
}


def fill_open_weights(fields: Row) -> None:
    """
    Fill weights that the body left out, in place.

    The control takes what the other cohorts leave, as in the platform's own editor; a sole primary metric takes all.
    """
    cohorts: list[Row] = fields.get("cohorts") or []
    open_controls = [row for row in cohorts if row.get("isControl") is True and "allocationWeight" not in row]
    if len(open_controls) == 1 and all("allocationWeight" in row for row in cohorts if row is not open_controls[0]):
        left = FULL_WEIGHT - sum(row["allocationWeight"] for row in cohorts if row is not open_controls[0])
        if left >= 0:
            open_controls[0]["allocationWeight"] = left
    metrics: list[Row] = fields.get("primaryMetrics") or []
    if len(metrics) == 1:
        metrics[0].setdefault("overallScoreWeight", FULL_WEIGHT)


def broken_rules(world: World, fields: Row) -> list[Problem]:
    """List the rules that a whole experiment breaks; its single values have been checked before."""
    return [
        *_schema_problems(world, fields),
        *_cohort_problems(fields),
        *_metric_problems(fields),
        *_parameter_problems(fields),
        *_duration_problems(fields),
        *(_reference_problems(world, fields) if setting(world, "check_references") else ()),
    ]


def _wrong(path: str, message: str, code: str = "FIELD_INTEGRITY_EXCEPTION") -> Problem:
    return Problem(code, f"{path}: {message}", (path,))


def _repeated(path: str, keys: Iterable[Any]) -> Iterable[Problem]:
    for key, count in Counter(keys).items():
        if count > 1:
            yield _wrong(path, f"{key!r} stands there {count} times", "DUPLICATE_VALUE")


def _schema_problems(world: World, fields: Row) -> Iterable[Problem]:
    name, enum = fields.get("schemaName"), fields.get("schemaEnum")
    if (name is None) == (enum is None):
        yield _wrong("schemaName", "give exactly one of schemaName and schemaEnum")
    own = fields.get("dataSpaceName")
    for space in table(world, "dataSpaces"):
        if name is not None and space not in ("default", own) and name.startswith(f"{space}_"):
            yield _wrong("schemaName", f"belongs to data space {space}, the experiment to {own}")


def _cohort_problems(fields: Row) -> Iterable[Problem]:
    cohorts: list[Row] = fields["cohorts"]
    flow = fields.get("source") == "FlowBuilder"
    if len(cohorts) < 2 or (flow and len(cohorts) > MAX_FLOW_COHORTS):
        allowed = f"2 to {MAX_FLOW_COHORTS}" if flow else "at least 2"
        yield _wrong("cohorts", f"{len(cohorts)} cohorts, {allowed} are allowed", "NUMBER_OUTSIDE_VALID_RANGE")
    controls = sum(1 for cohort in cohorts if cohort["isControl"])
    if controls != 1:
        yield _wrong("cohorts", f"exactly one cohort must be the control, {controls} are")
    yield from _repeated("cohorts", (cohort["name"] for cohort in cohorts))
    for place, cohort in enumerate(cohorts):
        path = f"cohorts[{place}]"
        if "allocationWeight" not in cohort:
            yield Problem(
                "REQUIRED_FIELD_MISSING",
                f"Required fields are missing: [{path}.allocationWeight]",
                (f"{path}.allocationWeight",),
            )
        if cohort.get("isFallThrough") and not cohort["isControl"]:
            yield _wrong(f"{path}.isFallThrough", "only the control may fall through")
        yield from _attribute_problems(cohort, path)
    total = sum(cohort.get("allocationWeight", 0) for cohort in cohorts)
    if total != FULL_WEIGHT:
        yield _wrong("cohorts", f"allocation weights add up to {total}, they must add up to {FULL_WEIGHT}")


def _attribute_problems(cohort: Row, path: str) -> Iterable[Problem]:
    values: list[Row] = cohort.get("attributeValues") or []
    for place, value in enumerate(values):
        if (value.get("attributeName") is None) == (value.get("attributeEnum") is None):
            yield _wrong(f"{path}.attributeValues[{place}]", "give exactly one of attributeName and attributeEnum")
    keys = [value.get("attributeName") or value.get("attributeEnum") for value in values]
    yield from _repeated(f"{path}.attributeValues", [key for key in keys if key])


def _metric_problems(fields: Row) -> Iterable[Problem]:
    for path in ("primaryMetrics", "secondaryMetrics"):
        metrics: list[Row] = fields.get(path) or []
        keys = [(row["metricType"], row.get("engagementSignalName"), row["metricName"]) for row in metrics]
        yield from _repeated(path, keys)
    primary: list[Row] = fields.get("primaryMetrics") or []
    total = sum(metric.get("overallScoreWeight", 0) for metric in primary)
    if primary and total != FULL_WEIGHT:
        yield _wrong("primaryMetrics", f"overall score weights add up to {total}, they must add up to {FULL_WEIGHT}")


def _parameter_problems(fields: Row) -> Iterable[Problem]:
    parameters: list[Row] = fields.get("parameters") or []
    yield from _repeated("parameters", [(row["engagementSignalName"], row["parameterName"]) for row in parameters])


def _duration_problems(fields: Row) -> Iterable[Problem]:
    """Judge participants and durations, which the platform ignores unless it selects the winner itself."""
    if fields.get("winnerSelectionMode") != "Automatic":
        return
    for name, (low, high) in _AUTOMATIC_RANGES.items():
        value = fields.get(name)
        if value is not None and not low <= value <= high:
            yield out_of_range(name, low, high)
    shortest, longest = fields.get("minimumDurationInMinutes"), fields.get("maximumDurationInMinutes")
    if shortest is not None and longest is not None and longest < shortest:
        yield _wrong("maximumDurationInMinutes", "must not be below minimumDurationInMinutes")


def _reference_problems(world: World, fields: Row) -> Iterable[Problem]:
    if fields["dataSpaceName"] not in table(world, "dataSpaces"):
        yield _wrong("dataSpaceName", f"there is no data space {fields['dataSpaceName']}")
    schema = fields.get("schemaName")
    if schema is not None and schema not in table(world, "schemas"):
        yield _wrong("schemaName", f"there is no schema {schema}")
    signals = table(world, "engagementSignals")
    for path in ("primaryMetrics", "secondaryMetrics"):
        for place, metric in enumerate(fields.get(path) or []):
            if metric["metricType"] == "EngagementSignalCompound":
                known = metric["metricName"] in table(world, "compoundMetrics")
            else:
                known = metric["metricName"] in signals.get(metric.get("engagementSignalName"), {}).get("metrics", ())
            if not known:
                yield _wrong(f"{path}[{place}]", f"there is no metric {metric['metricName']}")
    for place, parameter in enumerate(fields.get("parameters") or []):
        if parameter["engagementSignalName"] not in signals:
            yield _wrong(f"parameters[{place}]", f"there is no signal {parameter['engagementSignalName']}")
