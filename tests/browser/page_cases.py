"""Pages to look at in a browser: one of every kind of thing that they have to show, and a thousand experiments."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import report_cases as cases

from reconciler.model.change import Action, Call, Change, FieldChange, Plan, PlanWarning, Purpose, Severity, block
from reconciler.model.resource import Key
from reconciler.plan.drift import Drift, DriftKind, DriftReport, FieldDrift, Unmanaged
from reconciler.plan.schedules import Conflict, Schedule, Window
from reconciler.platforms.registry import KINDS as REGISTERED
from reconciler.report.html import drift_html, plan_html

NOW = cases.NOW
ACCOUNTS = {
    "linkedin": ("urn:li:sponsoredAccount:512", "urn:li:sponsoredAccount:777"),
    "x-ads": ("18ce54d4x5t", "18ce55p2k1q"),
    "salesforce": ("default",),
}
KINDS = {"linkedin": "LinkedInExperiment", "x-ads": "XAdsABTest", "salesforce": "SalesforceExperiment"}
CONNECTIONS = {"linkedin": "linkedin", "x-ads": "x", "salesforce": "crm"}
LIVE = {"linkedin": "RUNNING", "x-ads": "LIVE", "salesforce": "Started"}


def days(start: float, end: float | None) -> Window:
    """Give the window from so many days after now to so many; an open one without an end."""
    return Window(NOW + timedelta(days=start), None if end is None else NOW + timedelta(days=end))


def spans(made: Plan) -> tuple[Schedule, ...]:
    """Give a window to every change of a plan, quiet ones beside them, one not managed here, and two conflicts."""
    found = []
    for number, change in enumerate(made.changes):
        accounts = ACCOUNTS[change.platform]
        later = number % 40
        was = days(-20 + later * 2.5, 6 + later * 3)
        meant = change.intent or change.action
        before = None if meant is Action.CREATE else was
        after = None if meant is Action.DELETE else was
        if meant in (Action.UPDATE, Action.REPLACE, Action.CREATE):
            after = days(-20 + later * 2.5, 11 + later * 3) if number % 2 else was
        found.append(
            Schedule(
                change.key,
                str(change.key),
                change.platform,
                change.connection,
                accounts[number % len(accounts)],
                change.action,
                change.remote_id or "",
                change.status or "",
                before,
                after,
                scheduled=change.platform != "salesforce",
                ends=change.destroys and change.action is not Action.BLOCKED,
                over=change.action is Action.FORGET,
                editable_until=after.start if after and after.start and after.start > NOW else None,
                deadline=change.valid_until,
            )
        )
    for platform, kind in KINDS.items():
        for number in range(4):
            key = Key(kind, f"quiet-{number}")
            window = days(-60 + number * 25, -30 + number * 25)
            live = Schedule(
                key,
                str(key),
                platform,
                CONNECTIONS[platform],
                ACCOUNTS[platform][0],
                Action.NO_OP,
                f"9{number}",
                LIVE[platform],
                window,
                window,
                over=window.end is not None and window.end < NOW,
            )
            found.append(live)
    window = days(-3, None)
    found.append(
        Schedule(None, "made by hand", "x-ads", "x", ACCOUNTS["x-ads"][0], Action.NO_OP, "p7", "LIVE", window, window)
    )
    return in_conflict(found)


def in_conflict(found: list[Schedule]) -> tuple[Schedule, ...]:
    """Put the first two of LinkedIn and the stranger on X into each other's way."""
    pairs = []
    linkedin = [item for item in found if item.platform == "linkedin" and item.after][:2]
    x_ads = [item for item in found if item.platform == "x-ads" and item.after]
    pairs.append((*linkedin, "urn:li:sponsoredCampaign:1001"))
    if len(x_ads) > 1:
        pairs.append((x_ads[0], x_ads[-1], "c1001"))
    against: dict[int, tuple[Conflict, ...]] = {}
    for one, other, entity in pairs:
        window = Window(max(one.after.start, other.after.start), None)
        for here, there in ((one, other), (other, one)):
            title = there.title if there.key else f"{there.title} ({there.remote_id}), which is not managed here"
            against[id(here)] = (Conflict(title, (entity,), window),)
    return tuple(replace(item, conflicts=against.get(id(item), ())) for item in found)


def everything() -> str:
    """Give the page of a plan with every action, incomplete and judged at another moment."""
    made = cases.everything()
    return plan_html(made, spans(made))


def ordinary() -> str:
    """Give the page of a plan that an ordinary week brings."""
    made = cases.plan(cases.created(), cases.updated(), cases.groups(), cases.criteria(), environment="prod")
    return plan_html(made, spans(made))


def quiet() -> str:
    """Give the page of a plan without changes."""
    made = cases.plan(environment="prod")
    return plan_html(made, spans(made))


def many_changes(count: int) -> Plan:
    """Give a plan of many changes on three platforms."""
    changes: list[Change] = []
    for number in range(count):
        platform = tuple(KINDS)[number % 3]
        action = (Action.CREATE, Action.UPDATE, Action.UPDATE, Action.REPLACE, Action.DELETE, Action.BLOCKED)[
            number // 3 % 6
        ]
        key = Key(KINDS[platform], f"headline-family-{number % 31}-variant-{number}")
        fields = (
            FieldChange("name", None if action is Action.CREATE else "Old name", f"Variant {number}"),
            FieldChange(
                "scheduledEndAt",
                None if action is Action.CREATE else "2026-12-20T00:00:00Z",
                "2026-12-27T00:00:00Z",
                severity=Severity.INVALIDATES if number % 5 == 0 and action is Action.UPDATE else Severity.HARMLESS,
            ),
        )
        change = Change(
            key,
            platform,
            CONNECTIONS[platform],
            Action.UPDATE if action is Action.BLOCKED else action,
            remote_id=None if action is Action.CREATE else str(40_000 + number),
            status=None if action is Action.CREATE else LIVE[platform],
            fields=() if action is Action.DELETE else fields,
            calls=(cases.patch({"name": f"Variant {number}"}, remote_id=str(40_000 + number)),),
            destroys=action in (Action.REPLACE, Action.DELETE),
            valid_until=datetime(2026, 12, 1, tzinfo=UTC) if action is Action.CREATE else None,
        )
        changes.append(block(change, "name cannot change while it runs") if action is Action.BLOCKED else change)
    return cases.plan(*changes, environment="prod")


def many(count: int = 1_000) -> str:
    """Give the page of a plan of many changes."""
    made = many_changes(count)
    return plan_html(made, spans(made))


def drifted() -> str:
    """Give the page of a drift report with one of each kind."""
    return drift_html(cases.drifted(), NOW, "prod")


def many_drifted(count: int = 1_000) -> str:
    """Give the page of a drift report of many experiments."""
    items = tuple(
        Drift(
            Key(KINDS[platform], f"variant-{number}"),
            platform,
            CONNECTIONS[platform],
            str(number),
            DriftKind.MISSING if number % 9 == 0 else DriftKind.EDITED,
            LIVE[platform],
            () if number % 9 == 0 else (FieldDrift("name", f"Variant {number}", f"Renamed {number}"),),
        )
        for number in range(count)
        for platform in (tuple(KINDS)[number % 3],)
    )
    strange = tuple(Unmanaged("linkedin", "linkedin", "urn:li:1", str(n), f"By hand {n}", "RUNNING") for n in range(50))
    return drift_html(DriftReport(items, (), strange, (), count), NOW, "prod")


def kind_of(number: int) -> str:
    """Give the kind of a change of `many_changes`."""
    return KINDS[tuple(KINDS)[number % 3]]


# --- hostile text ----------------------------------------------------------------------------------------------------


def hostile_changes(bad: str) -> tuple[Change, ...]:
    """Give a change for every platform's kind in which every field of its table, and all else, is hostile."""
    made = []
    for kind in REGISTERED:
        paths = [row.path.replace("[]", "[0]") for row in kind.fields]
        fields = (
            *(FieldChange(path, f"{bad} was", bad, allowed=False, reason=bad) for path in paths),
            FieldChange(bad, [bad], [f"{bad} 2"]),
            FieldChange(f"{bad} o", {bad: [{"name": bad}]}, {bad: [{"name": bad, "x": bad}]}),
            FieldChange(f"{bad} new", None, bad),
        )
        body = dict.fromkeys(paths, bad) | {bad: [bad, {bad: bad}]}
        call = Call(bad, f"/{bad}", Purpose.UPDATE, {bad: bad}, {bad: bad}, body)
        made.append(
            Change(
                Key(kind.name, f"{bad} {kind.name}"),
                f"{kind.platform} {bad}",
                bad,
                Action.UPDATE,
                remote_id=bad,
                status=bad,
                fields=fields,
                calls=(call,),
                reasons=(bad,),
                warnings=(bad,),
                after=(Key(bad, bad),),
                valid_until=NOW,
                moved_from=bad,
            )
        )
        made.append(block(replace(made[-1], key=Key(bad, f"{kind.name} blocked")), bad))
        made.append(Change(Key(bad, kind.name), bad, bad, Action.CREATE, fields=fields, calls=(call,), reasons=(bad,)))
    return tuple(made)


def hostile_plan(bad: str) -> str:
    """Give the page of a plan in which every text is hostile."""
    changes = hostile_changes(bad)
    window = days(-3, 4)
    conflicts = (Conflict(bad, (bad,), window),)
    held = [
        Schedule(key, bad, change.platform, bad, bad, change.action, bad, bad, window, days(-3, 9), conflicts=conflicts)
        for change in changes
        for key in (change.key, None)
    ]
    made = cases.plan(
        *changes,
        environment=bad,
        problems=(bad,),
        complete=False,
        warnings=(PlanWarning(bad, bad),),
        bookkeeping=(replace(changes[0], key=Key(bad, "recorded")),),
    )
    return plan_html(made, held)


def hostile_drift(bad: str) -> str:
    """Give the page of a drift report in which every text is hostile."""
    items = []
    for kind in REGISTERED:
        fields = tuple(FieldDrift(row.path.replace("[]", "[0]"), bad, f"{bad} now") for row in kind.fields)
        items.append(Drift(Key(kind.name, bad), f"{kind.platform} {bad}", bad, bad, DriftKind.EDITED, bad, fields))
        items.append(Drift(Key(bad, kind.name), bad, bad, bad, DriftKind.MISSING, bad))
    strange = (Unmanaged(*[bad] * 6),)
    return drift_html(DriftReport(tuple(items), tuple(items[:1]), strange, (bad,), 3), NOW, bad)
