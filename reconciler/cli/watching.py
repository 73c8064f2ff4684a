"""What is kept of a run for those who look at it later: the log, and the audit record of an apply."""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.model.span import Spans, no_spans

if TYPE_CHECKING:
    from reconciler.audit import Audit
    from reconciler.log import Log
    from reconciler.model.change import Plan
    from reconciler.model.outcome import ApplyResult, Progress
    from reconciler.platforms.exchange import Exchange, Trace
    from reconciler.project import Project
    from reconciler.state.owner import Owner
    from reconciler.state.store import Store
    from reconciler.telemetry import Tracing

NOTE = Callable[["Progress"], None]


class Watch:
    """The watchers of one run: none unless a log is asked for or an apply begins."""

    def __init__(self, log: Log | None = None, run: str = "") -> None:
        self.log = log
        self.run = run
        self._number = 0
        self._began = time.monotonic()
        self.audit: Audit | None = None
        self.tracing: Tracing | None = None
        self.no_tracing = ""

    @property
    def trace(self) -> Trace | None:
        """What the HTTP client tells of its requests; None when nobody looks."""
        watched = self.log is not None or self.audit is not None or self.tracing is not None
        return self._exchange if watched else None

    @property
    def spans(self) -> Spans:
        """What marks stretches of the run; nothing does unless tracing is asked for."""
        return no_spans if self.tracing is None else self.tracing.span

    def learn(self, auth: Mapping[str, str]) -> None:
        """Make the secrets of a connection known to the log, for the texts that come from elsewhere."""
        if self.log is not None:
            from reconciler.platforms.auth import secrets_of

            for secret in secrets_of(auth):
                self.log.redact.add(secret)

    def progress(self, display: NOTE) -> NOTE:
        """Give a display that also writes to the log, where there is one."""
        log, audit = self.log, self.audit
        if log is None and audit is None:
            return display

        def both(progress: Progress) -> None:
            if audit is not None and progress.outcome is None:
                audit.started()
            if log is not None:
                log.progress(progress)
            display(progress)

        return both

    def planned(self, made: Plan, digest: str = "") -> None:
        """Note the plan: its size in the log, its digest (made here where it is not given) in the audit record."""
        if self.log is None and self.audit is None:
            return
        from reconciler.plan.saved import plan_digest

        digest = digest or plan_digest(made)
        if self.log is not None:
            self.log.event(
                "plan", digest=digest, complete=made.complete, serial=made.state_serial, summary=dict(made.summary)
            )
        if self.audit is not None:
            self.audit.begin(made, digest)

    def ended(self, made: Plan, result: ApplyResult | None, why_not: str) -> None:
        """Note in the audit record what became of a plan; one with nothing to do leaves none."""
        if self.audit is None:
            return
        if (
            result is not None and made.bookkeeping and not made.changes
        ):  # nobody was asked about these, so `planned` was not called
            from reconciler.plan.saved import plan_digest

            self.audit.begin(made, plan_digest(made))
        self.audit.end(result, why_not)

    def begin(self, project: Project) -> None:
        """Note in the log, and as a span, what runs."""
        ctx = click.get_current_context(silent=True)
        if self.tracing is not None and ctx is not None:
            self.tracing.begin(ctx.command_path, run=self.run, environment=project.environment or "")
        if self.log is not None and ctx is not None:
            from importlib.metadata import version

            self.log.event(
                "begin",
                command=ctx.command_path,
                version=version("reconciler"),
                environment=project.environment or "",
                pid=os.getpid(),
                tracing=self.no_tracing or ("on" if self.tracing is not None else ""),
            )

    def close(self) -> None:
        """Note that the command is done, and send its spans."""
        if self.tracing is not None:
            self.tracing.close()
        if self.log is not None:
            self.log.event("end", ms=round((time.monotonic() - self._began) * 1000))
            self.log.close()

    def _exchange(self, sent: Exchange) -> None:
        self._number += 1
        if self.log is not None:
            self.log.exchange(sent, self._number)
        if self.audit is not None:
            self.audit.exchange(sent, self._number)
        if self.tracing is not None:
            self.tracing.exchange(sent, self._number)


def watch_of_run(warn: Callable[[str], None]) -> Watch:
    """Give the watchers of the command that runs; the log is opened when it is asked for."""
    ctx = click.get_current_context(silent=True)
    settings = ctx.obj if ctx is not None and isinstance(ctx.obj, dict) else {}
    kept = settings.get("watch")
    if isinstance(kept, Watch):
        return kept
    verbose = bool(settings.get("verbose"))
    run = str(uuid.uuid4())
    watch = Watch(run=run)
    if verbose or os.environ.get("RECONCILER_LOG") or os.environ.get("RECONCILER_LOG_FILE"):
        from reconciler.log import open_log

        watch = Watch(open_log(sys.stderr, os.environ, warn, run), run)
    if tracing_wanted(os.environ):
        _trace(watch, warn)
    settings["watch"] = watch
    return watch


def tracing_wanted(environ: Mapping[str, str]) -> bool:
    """Tell whether spans are asked for: by an exporter or by an address of a collector, by the standard's variables."""
    exporter = environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if exporter == "none" or environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    places = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    return bool(exporter or any(environ.get(name) for name in places))


def _trace(watch: Watch, warn: Callable[[str], None]) -> None:
    from importlib.metadata import version

    try:
        from reconciler.telemetry import open_tracing
    except ImportError:  # the variables may be meant for other programs of the same machine: a word in the log will do
        watch.no_tracing = "not installed: pip install 'reconciler[otel]'"
        return
    watch.tracing = open_tracing(os.environ, version("reconciler"), warn)


def audit_path(store: Store, project: Project) -> Path:
    """Give the file of the audit record: beside a state that is a file, else in the project's own folder."""
    from reconciler.audit import SUFFIX

    place = getattr(store, "path", None)
    if not isinstance(place, Path):
        place = project.dir / ".reconciler" / (project.environment or "state")
    return place.with_name(place.name + SUFFIX)


def audit_of(
    store: Store, project: Project, owner: Owner, warn: Callable[[str], None], *, run: str, emulated: bool
) -> Audit:
    """Give the audit record of an apply; where the state is no file, it is kept there as well."""
    from importlib.metadata import version

    from reconciler.audit import Audit, actor_of, commit_of
    from reconciler.cli.common import now

    commit = commit_of(project.dir)
    return Audit(
        audit_path(store, project),
        owner,
        run=run,
        keep=getattr(store, "keep_record", None),
        now=now,
        warn=warn,
        version=version("reconciler"),
        commit=commit,
        dirty=_dirty(project) if commit else None,
        actor=actor_of(os.environ),
        emulated=emulated,
    )


def _dirty(project: Project) -> bool | None:
    """Tell whether the project's folder differs from the commit, state and caches aside; None when git cannot say."""
    from reconciler.errors import StateProblem
    from reconciler.state.git_command import Git

    words = ("-c", "core.fsmonitor=false", "status", "--porcelain", "-z", "--", ".", ":(exclude).reconciler")
    try:
        answer = Git(project.dir, os.environ).run(*words, timeout_s=20)
    except StateProblem:
        return None
    return bool(answer.out) if answer.code == 0 else None
