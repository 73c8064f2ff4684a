"""What goes on when the process is killed: for each kind of change and each platform, a situation and a command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kinds import CASES, LINKEDIN, SALESFORCE, X_ADS, Case
from laboratory import Lab

APPLY = ("apply", "--auto-approve")
STARTED = {"state": "Started"}
DRAFT = {"userIntendedState": "DRAFT"}
DESTROY = (*APPLY, "--allow-destroy")


@dataclass(frozen=True)
class Story:
    """
    One command in one situation.

    `begin` makes the situation; `words` is the command that is killed, and run again. `change` is the kind of change as
    it is counted.
    """

    name: str
    change: str
    begin: Callable[[Lab], None]
    words: tuple[str, ...] = APPLY
    side_by_side: bool = False
    """Several changes are under way at once: the order of operations is not the same each time."""

    @property
    def plan_words(self) -> tuple[str, ...]:
        """Give the options of the plan that has to be empty in the end."""
        return tuple(word for word in self.words if word in ("--allow-empty", "--allow-destroy"))


def _applied(lab: Lab, case: Case, status: int = 0, spec: Any = None, **lifecycle: Any) -> str:
    """Apply a case's manifest, let it come to its n-th status, and give its remote id."""
    key = lab.manifest(case.kind, case.spec if spec is None else spec, **lifecycle)
    lab.apply()
    lab.pass_time(minutes=2)
    remote_id = lab.remote_id(key)
    case.reach[list(case.reach)[status]](lab, remote_id)
    return remote_id


def _of(case: Case) -> list[Story]:
    name = case.platform

    def create(lab: Lab) -> None:
        lab.manifest(case.kind, case.spec)

    def update(lab: Lab) -> None:
        _applied(lab, case)
        lab.manifest(case.kind, {**case.spec, **case.by_hand})

    def removed(status: int, **lifecycle: Any) -> Callable[[Lab], None]:
        def begin(lab: Lab) -> None:
            _applied(lab, case, status, **lifecycle)
            lab.unwrite(case.kind)

        return begin

    def replace(status: int) -> Callable[[Lab], None]:
        edit = next(edit for edit in case.edits if edit.verdicts[status] == "replace")

        def begin(lab: Lab) -> None:
            _applied(lab, case, status, onImmutableChange="replace")
            lab.manifest(case.kind, case.edited(edit, also=True), onImmutableChange="replace")

        return begin

    def unmanaged(lab: Lab) -> str:
        remote_id = _applied(lab, case)
        lab.run("state", "rm", f"{case.kind}/a").must(0)
        return remote_id

    def importing(lab: Lab) -> None:
        unmanaged(lab)
        lab.unwrite(case.kind)

    def adopt(lab: Lab) -> None:
        unmanaged(lab)
        lab.manifest(case.kind, {**case.spec, **case.by_hand})

    def adopt_by_id(lab: Lab) -> None:
        remote_id = unmanaged(lab)
        lab.manifest(case.kind, {**case.spec, **case.by_hand})
        path = lab.dir / f"experiments/{case.kind}-a.yaml"
        path.write_text(path.read_text().replace("  name: a\n", f'  name: a\n  importId: "{remote_id}"\n', 1))

    def rename(lab: Lab) -> None:
        _applied(lab, case)
        lab.unwrite(case.kind)
        lab.manifest(case.kind, {**case.spec, **case.by_hand}, name="b")
        path = lab.dir / f"experiments/{case.kind}-b.yaml"
        path.write_text(path.read_text().replace("  name: b\n", "  name: b\n  movedFrom: a\n", 1))

    def saved_plan(lab: Lab) -> None:
        lab.manifest(case.kind, case.fresh(1), name="a")
        lab.apply()
        lab.pass_time(minutes=2)
        lab.manifest(case.kind, case.fresh(0), name="b")
        lab.manifest(case.kind, {**case.fresh(1), **case.by_hand}, name="a")
        lab.run("plan", "--out", "plan.json").must(0)

    ending = (*DESTROY, "--allow-empty")
    return [
        Story(f"{name}-create", "create", create),
        Story(f"{name}-update", "update", update),
        Story(f"{name}-replace-waiting", "replace", replace(0), DESTROY),
        Story(f"{name}-replace-running", "replace", replace(1), DESTROY),
        Story(f"{name}-delete", "delete", removed(0), ending),
        Story(f"{name}-end-running", "delete", removed(1), ending),
        Story(f"{name}-forget-over", "forget", removed(len(case.reach) - 1), ending),
        Story(f"{name}-abandon", "forget", removed(1, onRemoval="abandon"), ending),
        Story(f"{name}-import", "import", importing, ("import", "--all")),
        Story(f"{name}-adopt-by-id", "adopt", adopt_by_id),
        *([] if case is SALESFORCE else [Story(f"{name}-adopt", "adopt", adopt)]),
        Story(f"{name}-rename", "rename", rename),
        Story(f"{name}-saved-plan", "saved plan", saved_plan, ("apply", "plan.json"), True),
    ]


def _lifecycle(case: Case, before: Any, after: Any, status: int = 0) -> Callable[[Lab], None]:
    def begin(lab: Lab) -> None:
        _applied(lab, case, status, {**case.spec, **before})
        lab.manifest(case.kind, {**case.spec, **before, **after})

    return begin


def _started_at_once(lab: Lab) -> None:
    lab.manifest(SALESFORCE.kind, {**SALESFORCE.spec, "state": "Started"})


def _draft(lab: Lab) -> None:
    lab.manifest(LINKEDIN.kind, {**LINKEDIN.spec, **DRAFT})


def _hand_over(lab: Lab) -> None:
    """What one experiment lets go another takes: the second waits for the first."""
    lab.manifest(LINKEDIN.kind, LINKEDIN.spec, name="old")
    lab.apply()
    lab.pass_time(minutes=2)
    lab.unwrite(LINKEDIN.kind, "old")
    lab.manifest(LINKEDIN.kind, {**LINKEDIN.spec, "name": "the next", "keyMetric": "CPM"}, name="new")


def _all_at_once(lab: Lab) -> None:
    """One is made, one is changed, one is replaced, on three platforms side by side."""
    edit = next(edit for edit in SALESFORCE.edits if edit.verdicts[0] == "replace")
    lab.manifest(X_ADS.kind, X_ADS.spec)
    lab.manifest(SALESFORCE.kind, SALESFORCE.spec, onImmutableChange="replace")
    lab.apply()
    lab.pass_time(minutes=2)
    lab.manifest(LINKEDIN.kind, LINKEDIN.spec)
    lab.manifest(X_ADS.kind, {**X_ADS.spec, **X_ADS.by_hand})
    lab.manifest(SALESFORCE.kind, SALESFORCE.edited(edit, also=True), onImmutableChange="replace")


ALL: tuple[Story, ...] = (
    *(story for case in CASES for story in _of(case)),
    Story("linkedin-create-draft", "lifecycle", _draft),
    Story(
        "linkedin-activate",
        "lifecycle",
        _lifecycle(LINKEDIN, {"userIntendedState": "DRAFT"}, {"userIntendedState": "ACTIVE"}),
    ),
    Story("linkedin-cancel", "end by manifest", _lifecycle(LINKEDIN, {}, {"userIntendedState": "CANCELED"}, 1)),
    Story("salesforce-create-started", "lifecycle", _started_at_once),
    Story("salesforce-start", "lifecycle", _lifecycle(SALESFORCE, {}, {**STARTED, "label": "Renamed"})),
    Story("salesforce-stop", "end by manifest", _lifecycle(SALESFORCE, STARTED, {"state": "Stopped"})),
    Story("salesforce-archive", "end by manifest", _lifecycle(SALESFORCE, STARTED, {"state": "Archived"})),
    Story("linkedin-hand-over", "create", _hand_over, DESTROY),
    Story("all-three-at-once", "several", _all_at_once, DESTROY, True),
)
BY_NAME = {story.name: story for story in ALL}
