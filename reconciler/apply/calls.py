"""
Sending one call so that it takes effect exactly once, and reading what is live before and after it.

After an unclear answer the platform is read; only what demonstrably has not happened is sent again. Creates are the
exception that has its own module: they cannot be repeated at all before a search.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.apply.context import Context
from reconciler.errors import NotFound, PlatformError, Refused, StalePlan, Unclear
from reconciler.model.change import Call, Change, Purpose
from reconciler.model.kind import top_level
from reconciler.model.outcome import Progress
from reconciler.model.resource import Found, Gone, Live, Reading, Record, Unknown
from reconciler.plan.fields import difference, same_spec
from reconciler.platforms.base import Kind
from reconciler.platforms.session import ReadRequest, Wanted

MAX_SENDS = 3
LOOKS_S = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Waits between looks for a write to show, in seconds: some platforms answer reads from a copy that lags."""
SEARCHES_S = (0.0, 0.5, 1.0, 2.0, 4.0, 6.0, 8.0)
"""Waits between searches for a create whose answer was unclear: finders lag more than reads by id."""
CONFLICTS = frozenset({"WRITE_CONFLICT"})


class Worker:
    """One change at work: its kind, its session, and how many calls it has sent."""

    def __init__(self, context: Context, change: Change) -> None:
        self.context = context
        self.change = change
        self.kind: Kind = context.kinds(change.key.kind, change.connection)
        self.session = context.sessions[change.connection]
        self.sent = 0
        self.warnings: list[str] = []
        self._created_at = self.record.created_at if self.record else None

    @property
    def record(self) -> Record | None:
        """The experiment's record as the run knows it now."""
        return self.context.records.get(self.change.key)

    def say(self, message: str) -> None:
        """Tell the progress display something about this experiment."""
        self.context.notify(Progress(self.change.key, message))

    def wanted(self, remote_id: str) -> Wanted:
        """Give the request to read this experiment."""
        account = ""
        if self.kind.account_field:
            specs = [self.change.target or {}, self.change.expected, self.record.applied if self.record else {}]
            account = next((str(s[self.kind.account_field]) for s in specs if s.get(self.kind.account_field)), "")
            if self.record and self.record.remote_id == remote_id:
                account = str(self.record.applied.get(self.kind.account_field) or account)
        return Wanted(self.change.key, remote_id, account)

    async def read(self, remote_id: str) -> Reading:
        """Read the experiment once, through the session's own retries."""
        snapshot = await self.session.snapshot(ReadRequest(wanted=(self.wanted(remote_id),)))
        return snapshot.readings.get(remote_id, Unknown("the platform's answer leaves it out"))

    async def read_live(self, remote_id: str) -> Live | None:
        """
        Read the experiment before it is changed; None when it is gone.

        A 404 within the grace after its create means "not visible yet" and is waited out. Raises PlatformError when it
        cannot be read.
        """
        while True:
            reading = await self.settle(remote_id)
            match reading:
                case Found(live):
                    return live
                case Unknown(reason, unlisted) if not (unlisted and self.young(remote_id)):
                    raise PlatformError(f"{remote_id} could not be read: {reason}", connection=self.change.connection)
                case Gone() if not self.young(remote_id):
                    return None
                case _:
                    self.say(f"{remote_id} is not visible yet, waiting")
                    await self.context.sleep(2.0)

    async def settle(self, remote_id: str) -> Reading:
        """Read the experiment once no platform job is under way on it."""
        return await self.session.settle(self.kind, self.wanted(remote_id))

    def young(self, remote_id: str) -> bool:
        """Tell whether this tool created the experiment so recently that a 404 proves nothing."""
        record = self.record
        if record is None or record.remote_id != remote_id:
            return False
        created_at = record.created_at or self._created_at
        return created_at is not None and self.context.now() - created_at < self.context.grace

    def resuming(self) -> bool:
        """Tell whether an earlier, interrupted run of this same plan had begun this change."""
        return self.record is not None and self.record.inflight == self.context.plan_id

    def check_unmoved(self, live: Live) -> None:
        """
        Raise StalePlan when the status or a managed field is not what it was when the plan was made.

        When an interrupted run of this plan is taken up again, its own moves are none.
        """
        change, resuming = self.change, self.resuming()
        if change.status is not None and live.status != change.status and not resuming:
            raise StalePlan(
                f"{self.kind.status_field} was {change.status} when the plan was made and is {live.status} now"
            )
        moved = [
            name
            for name, before in change.expected.items()
            if not same_spec(self.kind, {name: before}, {name: live.spec.get(name)})
            and not (resuming and self._as_planned(name, live))
        ]
        if moved:
            raise StalePlan(f"{', '.join(moved)} changed on the platform since the plan was made")

    def _as_planned(self, name: str, live: Live) -> bool:
        """Tell whether an interrupted run of this plan may itself have brought a field to where it is."""
        if name == self.kind.lifecycle_field:
            return True
        wanted = {name: (self.change.target or {}).get(name)}
        return not difference(self.kind, wanted, live, record=self._aside()).changes

    def reached(self, live: Live) -> bool:
        """Tell whether live shows every field as wanted (ignored ones aside)."""
        ignored = self.change.lifecycle.ignore_changes
        target = {top: value for top, value in (self.change.target or {}).items() if top not in self.held_back()}
        return not difference(self.kind, target, live, record=self._aside(), ignored=ignored).changes

    def tell_moved(self, record: Record, live: Live) -> None:
        """
        Warn of managed fields that this change did not set and that are not as wanted: somebody else has just set them.

        No platform takes a precondition, so an edit between our read and our write shows only in the read after it.
        What somebody set in the very fields that were written is gone, and nothing tells of it.
        """
        set_now = {top_level(item.path) for item in self.change.fields} | self.held_back()
        target = {top: value for top, value in (self.change.target or {}).items() if top not in set_now}
        found = difference(self.kind, target, live, record=record, ignored=self.change.lifecycle.ignore_changes).changes
        if moved := list(dict.fromkeys(item.path for item in found if top_level(item.path) not in set_now)):
            self.warnings.append(
                f"somebody else changed {', '.join(moved)} on the platform while this was carried out: it was left so, "
                "and drift and plan show it from now on"
            )

    def _aside(self) -> Record | None:
        """Give the record without what was stored differently: here only the real values count."""
        record = self.record
        return replace(record, stored={}) if record and record.stored else record

    def held_back(self) -> frozenset[str]:
        """Give the lifecycle field when the plan deliberately leaves it as live has it."""
        name = self.kind.lifecycle_field
        planned = {item.path for item in self.change.fields}
        return frozenset({name} if name and name not in planned and self.change.remote_id else ())

    # --- sending ---------------------------------------------------------------------------------------------

    async def carry_out(self, call: Call, live: Live) -> Live | None:
        """
        Send one call of an update or an end and give what is live afterwards (None: gone).

        A call whose effect is already there is not sent. Raises PlatformError when it fails.
        """
        if self._effective(call, live):
            return live
        remote_id = live.remote_id
        attempt = 0
        while True:
            attempt += 1
            self.context.check_stopped(self.change.connection)
            try:
                self.say(call.line)
                self.sent += 1
                await self.session.send(call, self.kind)
            except NotFound:
                if call.purpose is not Purpose.DELETE:
                    raise
                if not self.young(remote_id):
                    return None
                self.say(f"{remote_id} is not visible yet; it is deleted once it shows")
                await self.context.sleep(2.0)
                attempt -= 1
                continue
            except Unclear as error:
                now = await self._look(call, remote_id)
                if now is None or self._effective(call, now):
                    return now
                if attempt == MAX_SENDS:
                    raise
                self.say(f"no clear answer ({error}); it has not happened, sending it again")
                continue
            except Refused as error:
                if error.code not in CONFLICTS or attempt == MAX_SENDS:
                    raise
                now = await self.read_live(remote_id)
                if now is None:
                    return None
                if self._effective(call, now):
                    return now
                self.check_unmoved(now)
                continue
            return await self._look(call, remote_id)

    async def _look(self, call: Call, remote_id: str) -> Live | None:
        """Give what is live once a call's effect shows, or as it is after a few looks; None when it is gone."""
        live: Live | None = None
        for wait in LOOKS_S:
            if wait:
                await self.context.sleep(wait)
            reading = await self.settle(remote_id)
            match reading:
                case Found(found):
                    live = found
                    if live.failure:
                        raise Refused(live.failure, connection=self.change.connection)
                    if self._effective(call, live):
                        return live
                case Gone():
                    if call.purpose is Purpose.DELETE or not self.young(remote_id):
                        return None
                case Unknown(reason, unlisted) if not (unlisted and self.young(remote_id)):
                    raise PlatformError(
                        f"{remote_id} could not be read after {call.method} {call.path}: {reason}",
                        connection=self.change.connection,
                    )
        if live is None:
            raise PlatformError(f"{remote_id} does not show on the platform", connection=self.change.connection)
        return live

    def _effective(self, call: Call, live: Live) -> bool:
        """Tell whether a call has had its effect, judged by what is live."""
        match call.purpose:
            case Purpose.DELETE:
                return False
            case Purpose.UPDATE:
                return self._fields_done(live)
            case _:
                return self.kind.done(call, live)

    def _fields_done(self, live: Live) -> bool:
        """Tell whether the changed fields (actions on the lifecycle aside) are as wanted."""
        changed = {top_level(item.path) for item in self.change.fields}
        if any(call.purpose not in (Purpose.UPDATE, Purpose.DELETE) for call in self.change.calls):
            changed -= {self.kind.lifecycle_field or ""}
        target = {top: value for top, value in (self.change.target or {}).items() if top in changed}
        cleared = {top: None for top in changed if top not in target}
        ignored = self.change.lifecycle.ignore_changes
        wanted = {**target, **cleared}
        found = difference(self.kind, wanted, live, record=self._aside(), ignored=ignored).changes
        return not any(top_level(item.path) in changed for item in found)
