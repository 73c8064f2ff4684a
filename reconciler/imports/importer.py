"""
One live experiment after the other, from what the platform shows to a manifest and a record of it.

The manifest is written first, the record after it. A run that is killed in between leaves a manifest that nobody has
recorded; it says what is live, so the next import recognises it by the experiment's identity and records it as it is,
instead of writing a second one. (The other order would leave a record without a manifest, which the next plan would
take for a wish to end the experiment.)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reconciler.errors import ReconcilerError, StateProblem, UsageProblem
from reconciler.imports.files import Folder, folder_of, write_new
from reconciler.imports.names import is_name, name_for
from reconciler.imports.result import Imported, Outcome
from reconciler.imports.statement import CannotState, Statement, over_defaults, statement_of
from reconciler.manifests.expand import expand
from reconciler.manifests.layout import order_of
from reconciler.manifests.load import load_text
from reconciler.manifests.words import plain
from reconciler.manifests.write import manifest_text
from reconciler.model.change import Action
from reconciler.model.diagnostic import Severity
from reconciler.model.resource import Desired, Key, Live, Record
from reconciler.plan.fields import difference, recorded_children
from reconciler.platforms.base import Kind, Situation
from reconciler.state.store import Put
from reconciler.validate.check import check
from reconciler.workflow import Surroundings

OVER = "over, which --include-ended imports"
REMOTE = "owned by another org (isRemote), where they are to be managed"
MANAGED = "managed already"
_ATTEMPTS = 1000


@dataclass(frozen=True)
class Options:
    """
    How to import: `out` is the folder asked for, `name` the name for a single one.

    `schema_of` gives the path, in the project, of the JSON Schema of a kind; empty where the project has none.
    """

    include_ended: bool = False
    out: str | None = None
    name: str | None = None
    schema_of: Callable[[str], str] = field(default=lambda kind: "")


class Importer:
    """Imports live experiments into one project. `save` has to be called at the end, whatever happens."""

    def __init__(self, around: Surroundings, desired: Mapping[Key, Desired], options: Options) -> None:
        self._around = around
        self._options = options
        self._state = around.store.read()
        self._records = dict(self._state.experiments)
        self._desired = dict(desired)
        self._kinds = [kind for platform in around.project.platforms.values() for kind in platform.kinds]
        self._changed = False

    def folder(self, connection: str) -> Folder:
        """Give the folder that manifests of a connection go into; raises UsageProblem."""
        project = self._around.project
        return folder_of(project.dir, project.manifests, connection, self._options.out)

    def refuse_managed(self, kind: Kind, connection: str, remote_id: str) -> None:
        """Raise UsageProblem when an id is that of a managed experiment."""
        record = self._managed(kind, connection, remote_id.rpartition("/")[2])
        if record is not None:
            raise UsageProblem(f"{kind.name} {plain(remote_id)} is managed already, as {record.key}")

    def save(self) -> None:
        """Write the state as a whole, if anything was recorded."""
        if self._changed:
            state = replace(self._state, experiments=self._records)
            self._state = self._around.store.save(state, expected_serial=self._state.serial)
            self._changed = False

    def take(self, connection: str, kind: Kind, live: Live, folder: Folder, *, named: bool = False) -> Imported:
        """
        Import one experiment and tell what became of it; `named` says that it was asked for by its id.

        What is wrong with this one experiment is in the answer. Raises UsageProblem for a name that cannot be had, and
        StateProblem or ReconcilerError when nothing more can be written.
        """
        item = Imported(Outcome.SKIPPED, kind.platform, connection, live.remote_id, live.name, live.status)
        if not live.remote_id:
            return replace(item, outcome=Outcome.FAILED, reason="the platform's answer does not name its id")
        record = self._managed(kind, connection, live.remote_id)
        if record is not None:
            return replace(item, key=record.key, reason=f"it is managed already, as {record.key}", group=MANAGED)
        known = self._spoken_of(kind, connection, live, item)
        if known is not None:
            return known
        reason = "" if named else self._not_asked_for(live)
        if reason:
            return replace(item, outcome=Outcome.LEFT_OUT, reason=f"it is {reason}", group=reason)
        stops = self._stops(kind, live)
        if stops:
            return replace(item, outcome=Outcome.LEFT_OUT, reason=stops)
        try:
            statement = over_defaults(kind, live, statement_of(kind, live), self._beneath(kind, "spec"))
            return self._write(kind, connection, live, folder, statement, item)
        except CannotState as error:
            outcome = Outcome.LEFT_OUT if live.over else Outcome.FAILED
            return replace(item, outcome=outcome, reason=f"no manifest can say what it is: {error}")

    # --- reasons not to --------------------------------------------------------------------------------------

    def _managed(self, kind: Kind, connection: str, remote_id: str) -> Record | None:
        """Give the record of a remote id; ids mean the same through every connection where claims do."""
        for record in self._records.values():
            same_place = record.connection == connection or (
                record.platform == kind.platform and not kind.claims_are_local
            )
            if same_place and record.remote_id and record.remote_id == remote_id:
                return record
        return None

    def _not_asked_for(self, live: Live) -> str:
        if live.owned_elsewhere:
            return REMOTE
        return OVER if live.over and not self._options.include_ended else ""

    def _stops(self, kind: Kind, live: Live) -> str:
        """Give what would block the plan of an experiment that nobody wants to change (a create that failed)."""
        if live.over:
            return ""
        resting = Situation(Action.NO_OP, self._around.now(), live, live.spec, live.spec)
        return "; ".join(judgement.message for judgement in kind.judge(resting) if judgement.blocks)

    def _spoken_of(self, kind: Kind, connection: str, live: Live, item: Imported) -> Imported | None:
        """Give what becomes of an experiment that an unrecorded manifest, or an unfinished create, speaks of."""
        for record in self._records.values():
            if record.remote_id or record.connection != connection or record.key.kind != kind.name:
                continue
            if kind.identity(record.applied) == kind.identity(live.spec, live):
                reason = f"{record.key} may be it: its create was interrupted; apply finds out"
                return replace(item, key=record.key, reason=reason)
        for desired in self._desired.values():
            if desired.key.kind != kind.name or desired.connection != connection or desired.key in self._records:
                continue
            if desired.import_id == live.remote_id:
                reason = f"the manifest {desired.key} asks for it (importId): plan and apply record it"
                return replace(item, key=desired.key, reason=reason)
            if kind.identity(desired.spec) != kind.identity(live.spec):
                continue
            ignored = desired.lifecycle.ignore_changes
            if not difference(kind, desired.spec, live, ignored=ignored).changes:
                self._check_name(desired.key)
                self._record(kind, desired, live)
                return replace(item, outcome=Outcome.IMPORTED, key=desired.key)
            if not live.over and kind.could_be(desired.spec, live):
                reason = f"the manifest {desired.key} speaks of it and is not recorded yet: plan and apply adopt it"
                return replace(item, key=desired.key, reason=reason)
        return None

    def _check_name(self, key: Key) -> None:
        if self._options.name not in (None, key.name):
            raise UsageProblem(f"--name {self._options.name}: the manifest {key} says just that already")

    # --- writing ---------------------------------------------------------------------------------------------

    def _write(
        self, kind: Kind, connection: str, live: Live, folder: Folder, statement: Statement, item: Imported
    ) -> Imported:
        for _ in range(_ATTEMPTS):
            name = self._name(kind, live, folder)
            file = folder.file(name)
            if file is None:
                listed = ", ".join(folder.patterns)
                raise CannotState(
                    f"a file named {name} in {folder.name or '.'} is not covered by manifests: [{listed}]"
                )
            text = self._text(kind, connection, live, statement, name, file)
            desired = self._read_back(text, file, kind, live)
            self._beside_others(kind, desired)
            try:
                write_new(folder.project / file, text)
            except FileExistsError:
                if self._options.name is not None:
                    raise UsageProblem(f"{file} is there already; nothing is written over") from None
                continue  # somebody wrote one meanwhile: the next name
            try:
                self._record(kind, desired, live)
            except StateProblem:
                (folder.project / file).unlink(missing_ok=True)
                raise
            self._desired[desired.key] = desired
            return replace(item, outcome=Outcome.IMPORTED, key=desired.key, file=file, left_out=statement.left_out)
        raise ReconcilerError(f"no free file name was found in {folder.name or '.'} for {plain(live.name)}")

    def _name(self, kind: Kind, live: Live, folder: Folder) -> str:
        def is_free(name: str) -> bool:
            key = Key(kind.name, name)
            return key not in self._desired and key not in self._records and not folder.exists(name)

        wanted = self._options.name
        if wanted is None:
            return name_for(live.name, kind.name, live.remote_id, is_free)
        if not is_name(wanted):
            raise UsageProblem(f"--name {plain(wanted)}: a name has lower-case letters, digits and -, at most 63")
        key = Key(kind.name, wanted)
        if key in self._desired or key in self._records:
            raise UsageProblem(f"--name {wanted}: there is {key} already")
        if folder.exists(wanted):
            raise UsageProblem(f"--name {wanted}: {folder.file(wanted)} is there already; nothing is written over")
        return wanted

    def _text(self, kind: Kind, connection: str, live: Live, statement: Statement, name: str, file: str) -> str:
        project = self._around.project
        several = sum(other.platform == kind.platform for other in project.connections.values()) > 1
        named = several or "connection" in self._beneath(kind, "metadata")
        others = self._beneath(kind, "lifecycle").get("ignoreChanges")
        ignored = [*(others if isinstance(others, list) and statement.ignored else ()), *statement.ignored]
        schema = self._options.schema_of(kind.name)
        source = f"imported from {connection} {live.remote_id} ({live.status}) on {self._around.now():%Y-%m-%d}"
        return manifest_text(
            kind.name,
            name,
            statement.spec,
            order_of(row.path for row in kind.fields),
            connection=connection if named else "",
            ignored=list(dict.fromkeys(ignored)),
            comments=(source, *statement.left_out),
            schema=os.path.relpath(schema, Path(file).parent) if schema else "",
        )

    def _beneath(self, kind: Kind, part: str) -> Mapping[str, Any]:
        """Give what the project says of manifests of a kind that do not say otherwise, in one of their parts."""
        defaults = self._around.project.scope.defaults.get(kind.name)
        value = defaults.value.get(part) if defaults is not None else None
        return value if isinstance(value, Mapping) else {}

    def _read_back(self, text: str, file: str, kind: Kind, live: Live) -> Desired:
        """Read a manifest as the next command will, and hold it against live; raises CannotState when they differ."""
        loaded = load_text(text, file)
        expanded = expand(loaded.documents, self._around.project.scope)
        desired, problems = check(expanded.documents, self._around.project, self._kinds)
        found = (*loaded.diagnostics, *expanded.diagnostics, *problems)
        wrong = [item for item in found if item.severity is Severity.ERROR]
        if wrong:
            raise CannotState(f"{wrong[0].path or 'the manifest'}: {wrong[0].message}")
        ignored = desired[0].lifecycle.ignore_changes
        changes = difference(kind, desired[0].spec, live, ignored=ignored).changes
        if changes:
            raise CannotState(f"{changes[0].path} would not be read back as it is")
        return desired[0]

    def _beside_others(self, kind: Kind, desired: Desired) -> None:
        """Raise CannotState when a manifest cannot stand beside those that are there (a campaign in two of them)."""
        others = [other for key, other in self._desired.items() if key.kind == kind.name]
        for key, finding in kind.check_together([*others, desired]):
            if key == desired.key and finding.level is Severity.ERROR:
                raise CannotState(f"{finding.message} ({finding.rule.id})")

    def _record(self, kind: Kind, desired: Desired, live: Live) -> None:
        record = Record(
            key=desired.key,
            platform=desired.platform,
            connection=desired.connection,
            remote_id=live.remote_id,
            applied=desired.spec,
            children=recorded_children(kind, desired.spec, live),
            lifecycle=desired.lifecycle,
            status=live.status,
        )
        self._around.store.journal(Put(desired.key, record, "import"))
        self._records[desired.key] = record
        self._changed = True
