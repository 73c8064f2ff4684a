"""
The state on a ref of its own in the project's git remote: a team needs nothing but the git server it has.

Each write is a commit upon the last one, pushed with a lease: the server takes it only if the ref is still where this
run knows it to be. `state.json` is in the commit's tree, the journal beside it, an entry a file. The lock is a second
ref. Only objects are made in the local repository: work tree, index, HEAD and branches are never touched.
"""

from __future__ import annotations

import contextlib
import re
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from reconciler.errors import StateProblem, StateUnreadable
from reconciler.state.git_command import NETWORK_S, Git, reason, without_credentials
from reconciler.state.medium import Kept, Moved, Position

STATE_FILE = "state.json"
LOCK_FILE = "lock.json"
AUDIT_FILE = "audit.jsonl"
_ENTRY = re.compile(r"journal/(\d{6})\.json")
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_TRANSIENT = ("failed to update ref", "cannot lock ref", "incorrect old value", "reference already exists")
_TRIES = 5


class GitMedium:
    """
    A state on a ref of a remote, as seen from the repository of a folder.

    `ref` empty: `refs/reconciler/<name>`, or, when the folder is not the repository's own but `some/folder` in it,
    `refs/reconciler-in/some/folder/<name>`, so that two projects of one repository never share a state.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str], *, remote: str, ref: str, name: str) -> None:
        self._git = Git(folder, environ)
        self._remote = remote
        self._name = name
        self._ref = ref
        self._title = ""
        self._entries: tuple[str, list[str]] = ("", [])  # a commit, and the tree lines of its journal
        self._state_blob = ("", "")  # a commit, and its state's blob

    @property
    def title(self) -> str:
        """What messages call the place."""
        return self._title or f"{self._ref or f'refs/reconciler/{self._name}'} of {self._remote}"

    @property
    def ref(self) -> str:
        """The ref of the state; the lock's is the same with `-lock` after it. Asks git when it is not stated."""
        if not self._title:
            self._look()
        return self._ref

    def _look(self) -> None:
        answer = self._git.run("remote", "get-url", "--", self._remote)
        if answer.code:
            raise StateProblem(
                f"the state is kept in git, and the remote {self._remote} cannot be used: {reason(answer.err)}; the "
                "project has to be in a clone whose remote has this name (state.remote names another), or keep the "
                "state in a file, with `state: {backend: file}` in the project file"
            )
        address = without_credentials(answer.out.decode("utf-8", "replace").strip().split("\n")[0])
        if not self._ref:
            prefix = self._git.out("rev-parse", "--show-prefix").decode("utf-8", "replace").strip().strip("/")
            self._ref = f"refs/reconciler-in/{prefix}/{self._name}" if prefix else f"refs/reconciler/{self._name}"
        if self._git.run("check-ref-format", self._ref).code:
            raise StateProblem(f"{self._ref} is no name of a ref; say where the state is to be kept with state.ref")
        shown = "".join(c if c.isprintable() else "?" for c in address)[:200]
        self._title = f"{self._ref} of {self._remote} ({shown})"

    # --- the state ---------------------------------------------------------------------------------------------

    def load(self) -> Kept:
        """Give what the ref holds; raises StateUnreadable when it holds something else than a state."""
        tip = self._tip(self.ref)
        if tip is None:
            return Kept()
        files = self._files(tip)
        strange = sorted(path for path in files if path != STATE_FILE and not _ENTRY.fullmatch(path))
        if strange or STATE_FILE not in files:
            what = f"it holds {strange[0]!r}" if strange else f"it has no {STATE_FILE}"
            raise StateUnreadable(f"{self.title} is not a ref of a state: {what}; name another with state.ref")
        journal = sorted(path for path in files if path != STATE_FILE)
        numbers = [int(path[8:14]) for path in journal]
        if numbers != list(range(1, len(numbers) + 1)):
            raise StateUnreadable(f"{self.title}: the journal has gaps; look at it with: git show {tip}")
        contents = self._blobs([files[STATE_FILE], *(files[path] for path in journal)])
        self._state_blob = (tip, files[STATE_FILE])
        self._entries = (tip, [f"100644 blob {files[path]}\t{path[8:]}\n" for path in journal])
        return Kept(Position(tip, len(journal) + 1), contents[0], tuple(contents[1:]))

    def append(self, at: Position, line: bytes, note: str) -> Position:
        """Push a commit that has one entry more."""
        if self._entries[0] != at.version or self._state_blob[0] != at.version:
            raise Moved
        blob = self._git.word("hash-object", "-w", "--stdin", given=line)
        entries = [*self._entries[1], f"100644 blob {blob}\t{at.next:06}.json\n"]
        folder = self._git.word("mktree", given="".join(entries).encode())
        tree = f"040000 tree {folder}\tjournal\n100644 blob {self._state_blob[1]}\t{STATE_FILE}\n"
        commit = self._commit(tree, at.version, note)
        self._push(self.ref, commit, at.version)
        self._entries, self._state_blob = (commit, entries), (commit, self._state_blob[1])
        return Position(commit, at.next + 1)

    def replace(self, at: Position, content: bytes, serial: int, note: str) -> Position:
        """Push a commit that has the new state, and no journal."""
        blob = self._git.word("hash-object", "-w", "--stdin", given=content)
        commit = self._commit(f"100644 blob {blob}\t{STATE_FILE}\n", at.version, note)
        self._push(self.ref, commit, at.version)
        self._entries, self._state_blob = (commit, []), (commit, blob)
        return Position(commit, 1)

    def fence(self, number: int) -> None:
        """Do nothing: whoever writes next moves the one ref, and so lets every other write fail."""

    # --- the audit records -------------------------------------------------------------------------------------

    def keep_record(self, name: str, content: bytes, note: str) -> None:
        """Push a commit that holds this record upon `<ref>-audit`: the ref's history is the list of all."""
        ref = f"{self.ref}-audit"
        blob = self._git.word("hash-object", "-w", "--stdin", given=content)
        for _ in range(_TRIES):
            tip = self._tip(ref) or ""
            with contextlib.suppress(Moved):
                self._push(ref, self._commit(f"100644 blob {blob}\t{AUDIT_FILE}\n", tip, note), tip)
                return
        raise StateProblem(f"{ref} changes faster than it can be written")

    def records(self, most: int) -> list[bytes]:
        """Give the records that the history of `<ref>-audit` holds, newest first."""
        tip = self._tip(f"{self.ref}-audit")
        if tip is None:
            return []
        commits = self._git.out("rev-list", f"--max-count={most}", tip).decode("ascii", "replace").split()
        return self._blobs([f"{commit}:{AUDIT_FILE}" for commit in commits])

    # --- the lock ----------------------------------------------------------------------------------------------

    def read_lock(self) -> tuple[str, bytes] | None:
        """Give the commit and text of the lock's ref."""
        tip = self._tip(f"{self.ref}-lock")
        if tip is None:
            return None
        files = self._files(tip)
        return tip, self._blobs([files[LOCK_FILE]])[0] if LOCK_FILE in files else b""

    def write_lock(self, body: bytes, expected: str | None) -> str:
        """Push the lock's ref, only if it is not there (or still is `expected`)."""
        ref = f"{self.ref}-lock"
        blob = self._git.word("hash-object", "-w", "--stdin", given=body)
        commit = self._commit(f"100644 blob {blob}\t{LOCK_FILE}\n", expected or "", "lock")
        self._push(ref, commit, expected or "")
        return commit

    def free_lock(self, body: bytes, expected: str) -> None:
        """Delete the lock's ref; a server that deletes no refs gets one that says that it is free."""
        try:
            self._push(f"{self.ref}-lock", "", expected)
        except StateProblem:
            self.write_lock(body, expected)

    # --- git ---------------------------------------------------------------------------------------------------

    def _tip(self, ref: str) -> str | None:
        """Give the commit that a ref of the remote is at, its objects fetched; None when there is no such ref."""
        for _ in range(_TRIES):
            tip = self._remote_tip(ref)
            if tip is None or self._git.run("cat-file", "-e", f"{tip}^{{tree}}").code == 0:
                return tip
            options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-prune")
            answer = self._git.run("fetch", *options, "--refmap=", self._remote, ref, timeout_s=NETWORK_S)
            if answer.code and self._remote_tip(ref) == tip:
                raise StateProblem(f"{self.title} cannot be fetched: {reason(answer.err)}")
        raise StateProblem(f"{self.title} changes faster than it can be read; run again")

    def _remote_tip(self, ref: str) -> str | None:
        answer = self._git.run("ls-remote", "--quiet", self._remote, ref, timeout_s=NETWORK_S)
        if answer.code:
            raise StateProblem(f"{self.title} cannot be asked: {reason(answer.err)}")
        for line in answer.out.decode("utf-8", "replace").splitlines():
            oid, _, name = line.partition("\t")
            if name == ref and _OID.fullmatch(oid):
                return oid
        return None

    def _files(self, commit: str) -> dict[str, str]:
        files = {}
        for line in self._git.out("ls-tree", "-r", "-z", "--full-tree", commit).decode("utf-8", "replace").split("\0"):
            head, _, path = line.partition("\t")
            if path:
                mode, kind, oid = head.split(" ")
                files[path if (mode, kind) == ("100644", "blob") else f"{path} ({kind} {mode})"] = oid
        return files

    def _blobs(self, oids: list[str]) -> list[bytes]:
        out = self._git.out("cat-file", "--batch", given="".join(f"{oid}\n" for oid in oids).encode())
        contents, place = [], 0
        for oid in oids:
            end = out.find(b"\n", place)
            head = out[place:end].decode("ascii", "replace").split(" ")
            if len(head) != 3 or head[1] != "blob":
                raise StateUnreadable(f"{self.title}: the object {oid} is missing")
            size = int(head[2])
            contents.append(out[end + 1 : end + 1 + size])
            place = end + 1 + size + 1
        return contents

    def _commit(self, tree_lines: str, parent: str, note: str) -> str:
        tree = self._git.word("mktree", given=tree_lines.encode())
        # Two runs that write the same in the same second must not make the same commit: both would seem to have won.
        message = f"{''.join(c if c.isprintable() else '?' for c in note)}\n\nWrite: {uuid.uuid4().hex}\n"
        parents = ("-p", parent) if parent else ()
        return self._git.word("commit-tree", tree, *parents, given=message.encode("utf-8", "replace"))

    def _push(self, ref: str, commit: str, expected: str) -> None:
        """Move a ref from `expected` (empty: not there) to a commit (empty: away)."""
        for attempt in range(_TRIES):
            answer = self._git.run(
                "push",
                "--porcelain",
                "--no-verify",
                f"--force-with-lease={ref}:{expected}",
                self._remote,
                f"{commit}:{ref}",
                timeout_s=NETWORK_S,
            )
            if answer.code == 0:
                return
            now = self._remote_tip(ref) or ""  # also after an answer that was lost
            if now == commit:
                return
            if now != expected:
                raise Moved
            said = answer.out.decode("utf-8", "replace") + answer.err
            if not any(word in said for word in _TRANSIENT) or attempt + 1 == _TRIES:
                refused = re.search(r"\[(?:remote )?rejected\] \(([^)]*)\)", said)
                why = f"{refused.group(1)}: " if refused else ""
                raise StateProblem(f"{self.title} cannot be written: {why}{reason(answer.err)}")
            time.sleep(0.1 * (attempt + 1))
