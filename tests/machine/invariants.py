"""
What must hold after every apply, one function for each sentence; a failure is reported by the function's name.

Each is given a `Round`: everything that was there before, what the plan showed, what was sent, and what is there now.
They judge by the emulator's rows and the request log, which share no code with the tool.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from bench import CONNECTIONS, PLATFORM_OF, Sent
from judge import begun, over, settled, unlike, untold

from reconciler.model.change import Action, Change, Plan
from reconciler.model.outcome import ApplyResult, Outcome, Result
from reconciler.model.resource import Desired, Key, Record

WHOLE = ("can neither run nor change any more", "is not visible yet")
"""What warnings say where nothing at all can be done about an experiment now."""
Rows = Mapping[str, Mapping[str, Mapping[str, Any]]]


@dataclass
class Round:
    """
    One plan and apply. `undisturbed` is what the clock alone would have made of the rows before; `second` is the plan
    made right after. `ours` are the rows that any apply made so far, `released` those that the tool was told to let go.
    """

    desired: Mapping[Key, Desired]
    specs: Mapping[Key, Mapping[str, Any]]
    plan: Plan
    result: ApplyResult | None
    sent: list[Sent]
    dry_sent: list[Sent]
    dry_before: Rows
    dry_after: Rows
    before: Rows
    undisturbed: Rows
    after: Rows
    records_before: Mapping[Key, Record]
    records: Mapping[Key, Record]
    now: datetime
    clean: bool
    second: Plan | None = None
    drift: Any = None
    ours: set[tuple[str, str]] = field(default_factory=set)
    strangers: set[tuple[str, str]] = field(default_factory=set)
    released: set[tuple[str, str]] = field(default_factory=set)
    uncertain: set[tuple[str, str]] = field(default_factory=set)

    @property
    def changes(self) -> dict[Key, Change]:
        """The plan's changes by key."""
        return {change.key: change for change in self.plan.changes}

    @property
    def outcomes(self) -> dict[Key, Outcome]:
        """What became of them, by key."""
        return {outcome.key: outcome for outcome in self.result.outcomes} if self.result else {}

    def __str__(self) -> str:
        lines = [f"at {self.now}, state {[(str(k), r.remote_id, r.inflight) for k, r in self.records_before.items()]}"]
        for change in self.plan.changes:
            outcome = self.outcomes.get(change.key)
            lines.append(f"{change.key} {change.remote_id}: {change.action} {change.status} {change.reasons}")
            lines += [f"    warning: {text}" for text in change.warnings]
            lines += [f"    {call.line} {call.body}" for call in change.calls]
            lines.append(f"    -> {outcome.result}: {outcome.message}" if outcome else "    -> not carried out")
        lines += [f"no-op to record: {change.key}" for change in self.plan.bookkeeping]
        lines += [f"warning: {item.key}: {item.message}" for item in self.plan.warnings]
        lines += [f"sent: {sent}" for sent in self.sent if sent.writes]
        return "\n".join(lines)

    def words(self, key: Key) -> list[str]:
        """Give what the plan, the apply and the plan after it warn of about an experiment."""
        plans = [self.plan, *([self.second] if self.second else [])]
        told = [item.message for plan in plans for item in plan.warnings if item.key == str(key)]
        change, outcome = self.changes.get(key), self.outcomes.get(key)
        return [*told, *(change.warnings if change else ()), *(outcome.warnings if outcome else ())]

    def explained(self, key: Key, paths: Sequence[str] = ()) -> bool:
        """Tell whether a warning says why nothing is done: about each of the fields, or about the whole experiment."""
        words = self.words(key)
        if any(phrase in text for text in words for phrase in WHOLE):
            return True
        return bool(paths) and all(any(path.split(".")[0] in text for text in words) for path in paths)

    def held(self, key: Key) -> bool:
        """Tell whether it is blocked or held back with a reason, or too late for what the plan held until then."""
        change, outcome = self.changes.get(key), self.outcomes.get(key)
        if change is None or outcome is None:
            return False
        if outcome.result in (Result.BLOCKED, Result.SKIPPED):
            return bool(outcome.message)
        late = change.valid_until is not None and change.valid_until <= self.now
        return outcome.result is Result.STALE and late


def row_of(rows: Rows, platform: str, remote_id: str) -> Mapping[str, Any] | None:
    """Give the row of an experiment, None when it is not there."""
    return rows[platform].get(remote_id)


def converges_or_says_blocked(round: Round) -> None:
    """Each manifest's experiment is live as stated, or its change is blocked with a reason, or a warning says why."""
    if not round.clean:
        return
    assert round.plan.complete, f"nothing was wrong, and the plan is incomplete: {round.plan.problems}"
    for change in round.plan.changes:
        assert change.action is not Action.BLOCKED or change.reasons, f"{change.key} is blocked without a reason"
    for key, outcome in round.outcomes.items():
        fine = outcome.result in (Result.DONE, Result.UNCHANGED) or round.held(key) or _freeing_unknown(round, key)
        assert fine, f"{key}: {outcome.result}: {outcome.message}"
    for key, wanted in round.desired.items():
        record = round.records.get(key)
        platform = PLATFORM_OF[key.kind]
        row = row_of(round.after, platform, record.remote_id) if record and record.remote_id else None
        if round.held(key) or _freeing_unknown(round, key):
            continue
        if round.explained(key):
            continue
        assert row is not None and not row.get("deleted"), f"{key} is wanted, not there, and nothing says why"
        spec = round.specs[key]
        different = unlike(platform, spec, row, wanted.lifecycle.ignore_changes)
        if over(platform, row):  # the end that a manifest asks for may differ in words: CANCELED is ENDED
            different = [path for path in different if path not in ("userIntendedState", "state")]
        why = not different or round.explained(key, different)
        assert why, f"{key} differs in {different}, and nothing says why; warnings: {round.words(key)}"
    moving = {Key(key.kind, wanted.moved_from) for key, wanted in round.desired.items() if wanted.moved_from}
    for key, record in round.records.items():
        if key not in round.desired and key not in moving:
            assert round.held(key) or round.explained(key), f"{key} has no manifest, and is still recorded: {record}"


def _freeing_unknown(round: Round, key: Key) -> bool:
    """A create whose plan warned that the platform may refuse it, and which it did refuse."""
    change = round.changes.get(key)
    return change is not None and any("whether the platform frees" in words for words in change.warnings)


def second_plan_is_empty(round: Round) -> None:
    """The plan after an apply holds nothing but what is blocked, held back or came too late; and drift is explained."""
    if not round.clean or round.second is None:
        return
    left = [
        change
        for change in round.second.changes
        if change.action is not Action.BLOCKED
        and not round.held(change.key)
        and not _freeing_unknown(round, change.key)
        and not round.explained(change.key)
    ]
    assert not left, f"left: {[(str(c.key), c.action.value, c.fields, c.reasons) for c in left]}"
    noted = [str(c.key) for c in round.second.bookkeeping if not round.held(c.key)]
    assert not noted, f"the apply did not record {noted}"
    told = {str(change.key) for change in round.second.changes} | {item.key for item in round.second.warnings}
    told |= {change.moved_from for change in round.second.changes}
    drifted = {str(item.key) for item in round.drift.drift} if round.drift else set()
    assert drifted <= told, f"drift that no plan speaks of: {[d for d in round.drift.drift if str(d.key) not in told]}"


def never_forbidden(round: Round) -> None:
    """No call is refused by a rule of the platform, unless the plan said that it might be."""
    if not round.clean:
        return
    refused = [sent for sent in round.sent if sent.writes and sent.status is not None and 400 <= sent.status < 500]
    unknown = any(_freeing_unknown(round, key) for key in round.changes)
    assert not refused or unknown, f"refused: {[str(sent) for sent in refused]}"


def state_equals_live(round: Round) -> None:
    """What the state says was applied is what is live, but for ignored fields and what was stored differently."""
    if not round.clean:
        return
    for key, outcome in round.outcomes.items():
        record = round.records.get(key)
        done = outcome.result is Result.DONE and outcome.action not in (Action.DELETE, Action.FORGET)
        if not done:
            continue
        assert record is not None and record.remote_id, f"{key} is done and not recorded"
        assert not record.inflight and record.intent_at is None, f"{key} is done and recorded as under way"
        platform = PLATFORM_OF[key.kind]
        row = row_of(round.after, platform, record.remote_id)
        assert row is not None, f"{key} is recorded as {record.remote_id}, which is not there"
        ignored = {*record.lifecycle.ignore_changes, *record.stored}
        different = unlike(platform, record.applied, row, ignored)
        lifecycle = {"userIntendedState", "state"}
        if over(platform, row):
            different = [path for path in different if path not in lifecycle]
        assert not different or round.explained(key, different), (
            f"{key}: the state says otherwise than live in {different}"
        )


def unmanaged_untouched(round: Round) -> None:
    """Experiments of others are as they were, and so are the fields that no manifest of ours ever stated."""
    for platform, remote_id in round.strangers:
        alone, now = row_of(round.undisturbed, platform, remote_id), row_of(round.after, platform, remote_id)
        assert settled(alone) == settled(now), f"{platform} {remote_id} is not ours and was changed"
    for change in round.plan.changes:
        if change.action not in (Action.UPDATE, Action.ADOPT) or not change.remote_id:
            continue
        platform = PLATFORM_OF[change.key.kind]
        alone, now = (row_of(rows, platform, change.remote_id) for rows in (round.undisturbed, round.after))
        record = next((r for r in round.records_before.values() if r.remote_id == change.remote_id), None)
        told = [change.target or {}, *([record.applied] if record else [])]
        if alone is not None and now is not None:
            moved = untold(platform, told, alone, now)
            assert not moved, f"{change.key}: nobody ever stated {moved}, and the apply changed it"


def nothing_created_twice(round: Round) -> None:
    """Every live experiment that an apply made is recorded, once, or was let go by request; no id under two keys."""
    if not round.clean:  # a run that is killed while it moves a record to a new key leaves it under both
        return
    ids = [(record.connection, record.remote_id) for record in round.records.values() if record.remote_id]
    assert len(ids) == len(set(ids)), f"one experiment is recorded twice: {ids}"
    names = {connection: platform for platform, connection in CONNECTIONS.items()}
    recorded = {(names[connection], remote_id) for connection, remote_id in ids}
    for platform, remote_id in sorted(round.ours - round.released):
        row = row_of(round.after, platform, remote_id)
        alive = not over(platform, row)
        assert not alive or (platform, remote_id) in recorded, f"{platform} {remote_id} is ours, and no key has it"


def what_the_plan_shows_is_sent(round: Round) -> None:
    """The calls that were sent are those of the plan, each once, in the plan's order within each experiment."""
    if not round.clean:
        return
    left = [sent for sent in round.sent if sent.writes and sent.status != 429]
    for change in round.plan.changes:
        outcome = round.outcomes.get(change.key)
        if outcome is None or outcome.result in (Result.BLOCKED, Result.SKIPPED, Result.NOT_TRIED, Result.STALE):
            continue
        at = 0
        for call in change.calls:
            found = next((n for n in range(at, len(left)) if _is(left[n], change, call)), None)
            if found is None and outcome.result is not Result.DONE:
                break
            assert found is not None, f"{change.key}: the plan shows {call.line} {call.body}, and it was not sent"
            left.pop(found)
            at = found
    assert not left, f"sent and not in the plan: {[str(sent) for sent in left]}"


def _is(sent: Sent, change: Change, call: Any) -> bool:
    return (
        sent.platform == change.platform
        and (sent.method, sent.path) == (call.method, call.path)
        and dict(parse_qsl(sent.query)) == dict(call.query)
        and sent.body == call.body
        and all(sent.headers.get(name.lower()) == text for name, text in call.headers.items())
    )


def nothing_ended_unasked(round: Round) -> None:
    """No experiment that the clock would have left alone is over, or stopped, unless the plan said that it ends."""
    asked = set()
    for change in round.plan.changes:
        lifecycle = any(
            item.path in ("userIntendedState", "state") and item.after in ("CANCELED", "Stopped", "Archived")
            for item in change.fields
        )
        if change.action in (Action.DELETE, Action.REPLACE) or (change.action is not Action.BLOCKED and lifecycle):
            asked.add((change.platform, change.remote_id))
    for platform, rows in round.undisturbed.items():
        for remote_id, alone in rows.items():
            if over(platform, alone) or (platform, remote_id) in asked:
                continue
            now = row_of(round.after, platform, remote_id)
            assert not over(platform, now), f"{platform} {remote_id} was ended, and no plan said so"
            stopped = now is not None and now.get("state") == "Stopped" and alone.get("state") != "Stopped"
            assert not stopped, f"{platform} {remote_id} was stopped, and no plan said so"
            if begun(platform, alone) and platform == "linkedin":
                assert now is not None and begun(platform, now), f"{platform} {remote_id} does not run any more"


def dry(round: Round) -> None:
    """Plan and drift send nothing that changes anything, and change nothing."""
    writes = [str(sent) for sent in round.dry_sent if sent.writes]
    assert not writes, f"sent by plan or drift: {writes}"
    assert round.dry_before == round.dry_after, "plan or drift changed what is live"


INVARIANTS: tuple[Callable[[Round], None], ...] = (
    dry,
    what_the_plan_shows_is_sent,
    never_forbidden,
    nothing_ended_unasked,
    unmanaged_untouched,
    nothing_created_twice,
    converges_or_says_blocked,
    state_equals_live,
    second_plan_is_empty,
)
"""`minimal` has a module of its own: it needs worlds to play the plan in again."""
