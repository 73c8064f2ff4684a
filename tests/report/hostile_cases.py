"""Text that tries to break out, and plans and drift reports that hold it wherever text can come from outside."""

from __future__ import annotations

from dataclasses import replace

import report_cases as cases

from reconciler.model.change import Action, Call, Change, FieldChange, Plan, PlanWarning, Purpose, Severity, block
from reconciler.model.diagnostic import Location
from reconciler.model.resource import Desired, Key
from reconciler.plan.drift import Drift, DriftKind, DriftReport, FieldDrift, Unmanaged

PIECES = (
    *(
        "|",
        "||",
        "\\|",
        "`",
        "``",
        "```",
        "~~~",
        "<",
        ">",
        "</code>",
        "<script>",
        "<img src=x onerror=x>",
        "</details>",
    ),
    *("<!--", "-->", "&lt;", "&#124;", "&amp;", "@team", "@org/team", "#12", "!34", "GH-5", "gh-6", "GL-7", "$8", "&9"),
    *(
        "%10",
        "~bug",
        '~"a label"',
        "^alert#1",
        "a/b#11",
        "a@b.org",
        "https://evil.test",
        "www.evil.test",
        "//evil.test",
    ),
    *("[x](https://evil.test)", "![x](https://evil.test/i.png)", "[x]: https://evil.test", "<https://evil.test>"),
    *("*a*", "**b**", "_c_", "__d__", "~~e~~", "# h", "- i", "1. j", "+ k", "> q", "---", "===", "\t", "    code"),
    *(
        "\n",
        "\n\n",
        "\r\n",
        "\u2028",
        "\u202e",
        "\x00",
        "\x1b[31m",
        "\\",
        "\\\\",
        "$$x$$",
        "$`x`$",
        ":+1:",
        "[^1]",
        "a|b",
    ),
    *(
        "/close",
        "/approve",
        "::error::x",
        "{{ x }}",
        "[ ] task",
        "[x] task",
        "| - | - |",
        "mailto:a@b.org",
        "ftp://a.b",
    ),
)
"""Pieces of syntax: of Markdown, HTML, tables, links, mentions and references, terminals, logs, templates."""


def hostile_plan(bad: str) -> tuple[Plan, dict[Key, Desired]]:
    """Give a plan all of whose texts are hostile, and its manifests."""
    call = Call("POST", f"/{bad}", Purpose.UPDATE, {bad: bad}, {bad: bad}, {bad: [bad, {bad: bad}]})
    change = Change(
        Key("XAdsABTest", bad),
        bad,
        bad,
        Action.UPDATE,
        remote_id=bad,
        status=bad,
        fields=(
            FieldChange(bad, bad, bad + "!", allowed=False, reason=bad + "?"),
            FieldChange(bad + "l", [bad], [bad + "2", bad + "3"]),
            FieldChange("o", {bad: bad}, {bad: 1}, drifted=True),
            FieldChange("n", None, bad, severity=Severity.INVALIDATES),
            FieldChange("c", bad, None),
        ),
        calls=(call, call),
        reasons=(bad, bad),
        warnings=(bad,),
        after=(Key(bad, "x"),),
        moved_from=bad,
        valid_until=cases.NOW,
    )
    changes = (
        change,
        replace(change, key=Key(bad, "destroys"), destroys=True, action=Action.REPLACE, old_calls=1),
        block(replace(change, key=Key(bad, "blocked")), bad),
    )
    made = cases.plan(
        *changes, environment="e" + bad, problems=(bad,), warnings=(PlanWarning(bad, bad),), complete=False
    )
    spec = {"account_id": bad, "user_groups": [{"entity_ids": [bad], "name": bad}], "criteria": {bad: bad}}
    wanted = Desired(change.key, "x-ads", bad, spec, labels={bad: bad}, location=Location(bad, 3))
    return made, {change.key: wanted}


def hostile_drift(bad: str) -> tuple[DriftReport, dict[Key, Desired]]:
    """Give a drift report all of whose texts are hostile, and its manifests."""
    fields = (FieldDrift(bad, bad, [bad]), FieldDrift("l", [bad], [bad + "2"]), FieldDrift("n", bad, None))
    item = Drift(Key("XAdsABTest", bad), bad, bad, bad, DriftKind.EDITED, bad, fields)
    gone = replace(item, key=Key(bad, "gone"), kind=DriftKind.MISSING, fields=())
    progress = replace(item, key=Key(bad, "moves"), kind=DriftKind.PROGRESS)
    made = DriftReport((item, gone), (progress,), (Unmanaged(*[bad] * 6),), (bad,), 3)
    return made, {item.key: Desired(item.key, "x-ads", bad, {"account_id": bad}, labels={bad: bad})}
