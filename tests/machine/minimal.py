"""
Minimality: a plan's calls are played again on a copy of the platforms, each time with one call or one field left out.

What is left out must be missed: either the platforms refuse the rest, or they end up other than with the whole plan.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from bench import T0, TABLES, Bench, Fuse, run, session_of, ticked
from judge import settled

from reconciler.emulator.app import build
from reconciler.emulator.world import World
from reconciler.errors import PlatformError
from reconciler.model.change import Call, Change, Plan, Purpose
from reconciler.platforms.base import Kind

MOST = 10
"""Of the parts of one plan that are left out in turn; of a longer one so many, evenly spread."""
Step = tuple[Change, Call]


def minimal(bench: Bench, data: dict[str, Any], plan: Plan) -> int:
    """
    Leaving out any call, or any field of a call, leaves the platforms other than the whole plan does.

    `data` is the platforms' data when the plan was made. Gives the number of parts that were left out in turn.
    """
    steps = [(change, call) for change in plan.changes for call in change.calls]
    if not steps:
        return 0
    whole = _outcome(bench, data, steps)
    assert whole is not None, "the plan's own calls are refused when they are sent one after the other"
    reduced = list(_reductions(bench, steps))
    spread = reduced[:: -(-len(reduced) // MOST)]
    for what, fewer in spread:
        assert _outcome(bench, data, fewer) != whole, f"the plan would do the same without {what}"
    return len(spread)


def _outcome(bench: Bench, data: dict[str, Any], steps: Sequence[Step]) -> Any:
    """Give the experiments and campaigns as the steps leave them; None when one of them is refused."""
    world = World(copy.deepcopy(data), real_now=lambda: T0)
    world.table("salesforce", "settings")["default"].update(processing_seconds=0, deleting_seconds=0)
    for job in world.table("salesforce", "jobs").values():  # the tool waits for them before it sends anything
        job["dueMs"] = 0
    ticked(world)
    app = build(world)

    async def play() -> bool:
        sessions = {
            name: session_of(bench.project, name, world, app, [], Fuse())
            for name in sorted({change.connection for change, _ in steps})
        }
        try:
            for change, call in steps:
                try:
                    await sessions[change.connection].send(call, bench.kinds(change.key.kind, change.connection))
                except PlatformError:
                    return False
        finally:
            for session in sessions.values():
                await session.close()
        return True

    if not run(play()):
        return None
    ticked(world)
    tables = {platform: settled(world.table(platform, name)) for platform, name in TABLES.items()}
    return {**tables, "campaigns": {key: row["status"] for key, row in world.table("linkedin", "campaigns").items()}}


def _reductions(bench: Bench, steps: Sequence[Step]) -> Iterator[tuple[str, list[Step]]]:
    for number, (change, call) in enumerate(steps):
        before, after = list(steps[:number]), list(steps[number + 1 :])
        yield f"{change.key}: {call.line} {call.body}", [*before, *after]
        kind = bench.kinds(change.key.kind, change.connection)
        for path, body in _smaller(kind, call):
            yield (
                f"{change.key}: {path} of {call.line} {call.body}",
                [*before, (change, replace(call, body=body)), *after],
            )


def _smaller(kind: Kind, call: Call) -> Iterator[tuple[str, Any]]:
    """Give the bodies of a call with one field left out."""
    body = call.body
    if not isinstance(body, dict):
        return
    if kind.platform == "linkedin" and "patch" in body:
        for part, fields in body["patch"].items():
            for name in fields:
                if isinstance(fields, dict):
                    fewer: Any = {key: value for key, value in fields.items() if key != name}
                else:
                    fewer = [each for each in fields if each != name]
                yield f"{part}.{name}", {"patch": {**body["patch"], part: fewer}}
        return
    for name, value in body.items():
        if call.purpose is Purpose.CREATE and _is_default(kind, name, value):
            continue  # a create states every field, also where the platform would take the same by itself
        yield name, {key: inner for key, inner in body.items() if key != name}
        if name == "user_groups" and call.purpose is not Purpose.CREATE:
            for index, group in enumerate(value):
                for key in group.keys() - {"id", "size"}:  # every size is sent where one changes
                    items = [dict(each) for each in value]
                    del items[index][key]
                    yield f"user_groups[{index}].{key}", {**body, name: items}


def _is_default(kind: Kind, name: str, value: Any) -> bool:
    row = kind.field_index().get(name)
    return value in (None, "", [], {}) or (row is not None and row.default is not None and row.default == value)
