"""Whatever the emulated platforms can hold is imported by the command line, and the plan right after is empty."""

from __future__ import annotations

import json
import shutil
from typing import Any

from bodies import linkedin_bodies, salesforce_bodies, x_bodies
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from laboratory import Lab

from reconciler.emulator.salesforce.experiments import complete_rows

ONE_LAB = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def hold(lab: Lab, platform: str, table: str, key: str, row: dict[str, Any]) -> None:
    """Put a row into the emulated platform as it is."""
    lab.server.world.table(platform, table)[key] = json.loads(json.dumps(row))


@ONE_LAB
@given(
    linkedin=st.lists(linkedin_bodies(), max_size=3, unique_by=lambda body: body["id"]),
    x=st.lists(x_bodies(), max_size=2, unique_by=lambda body: body["id"]),
    salesforce=st.lists(salesforce_bodies(), max_size=3, unique_by=lambda body: body["name"].removeprefix("myDs_")),
    days=st.integers(0, 200),
)
def test_the_plan_after_importing_everything_is_empty(
    lab: Lab, linkedin: list[Any], x: list[Any], salesforce: list[Any], days: int
) -> None:
    lab.server.reset()
    for folder in (".reconciler", "experiments"):
        shutil.rmtree(lab.dir / folder, ignore_errors=True)
    for number, body in enumerate(linkedin):
        for cell in body["cells"]:  # campaigns of their own: two manifests may not claim one
            cell["reference"]["campaign"] += str(number)
        row = {**body, "autoStop": body["autoStop"] or "AUTO_STOP_AT_END_DATE", "lastModified": body["created"]}
        hold(lab, "linkedin", "experiments", str(body["id"]), {k: v for k, v in row.items() if v is not None})
    for number, body in enumerate(x):
        for group in body["user_groups"]:
            group["id"] += f"-{number}"
            group["entity_ids"] = [f"{entity}-{number}" for entity in group["entity_ids"]]
        times = dict.fromkeys(("created_at", "updated_at"), "2026-11-01T00:00:00Z")
        who = {"created_by": {"user_id": "1", "username": "a"}, "updated_by": {"user_id": "1", "username": "a"}}
        hold(lab, "x-ads", "ab_tests", body["id"], {**body, **times, **who, "account_id": "18ce54d4x5t"})
    for number, body in enumerate(salesforce):
        key = f"1GaSB0000{number:06d}AAA"
        hold(lab, "salesforce", "experiments", key, {**body, "id": key, "status": "Active"})
    complete_rows(lab.server.world)
    lab.pass_time(days=days)

    ran = lab.run("import", "--all", "--include-ended").must(0)
    count = len(linkedin) + len(x) + len(salesforce)
    assert ran.out.startswith(f"{count} imported\n"), ran.err
    if count:
        made = lab.plan(code=0)
        assert made["changes"] == []
        assert made["summary"]["no-op"] == count
        assert lab.drift()["drift"] == []
    assert lab.writes == []
