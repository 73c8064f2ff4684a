"""Runs git in a project's repository: no prompts, no hooks, bounded in time, and no credentials in what it says."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import StateProblem

LOCAL_S = 60.0
NETWORK_S = 120.0
_ELSEWHERE = frozenset(
    {
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_PREFIX",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_QUARANTINE_PATH",
        "GIT_COMMON_DIR",
        "GIT_NAMESPACE",
        "GIT_SHALLOW_FILE",
        "GIT_GRAFT_FILE",
        "GIT_TRACE",
        "GIT_TRACE_CURL",
        "GIT_CURL_VERBOSE",
    }
)
"""Variables that would lead git into another repository (as inside a hook), or make it print requests."""
_SETTINGS = (
    ("core.hooksPath", os.devnull),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("fetch.writeCommitGraph", "false"),
    ("push.followTags", "false"),
    ("push.gpgSign", "false"),
    ("push.recurseSubmodules", "no"),
    ("protocol.ext.allow", "never"),
)
_WHO = {"NAME": "reconciler", "EMAIL": "reconciler@localhost"}


@dataclass(frozen=True)
class Answer:
    """What a git command gave back."""

    code: int
    out: bytes
    err: str


class Git:
    """The git of one folder; `environ` is that of the process."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self._environ = {
            **{name: value for name, value in environ.items() if name not in _ELSEWHERE},
            **{f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in _WHO.items()},
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0",
            "LC_ALL": "C",
            "LANGUAGE": "C",
        }

    def run(self, *arguments: str, given: bytes = b"", timeout_s: float = LOCAL_S) -> Answer:
        """
        Run a command to its end and give its answer, whatever it is.

        Raises StateProblem when there is no git, and when the time is over: the command is ended then, and whether it
        had done its work is not known.
        """
        settings = [word for name, value in _SETTINGS for word in ("-c", f"{name}={value}")]
        words = ["git", *settings, *arguments]
        try:
            # A session of its own: no terminal to ask for a password on, and no Ctrl-C half way through a push.
            process = subprocess.Popen(
                words,
                cwd=self.folder,
                env=self._environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise StateProblem(
                "the state is kept in git, and there is no git command here (or no folder of the project): install git"
            ) from None
        except OSError as error:
            raise StateProblem(f"git cannot be run: {error.strerror or error}") from None
        try:
            out, err = process.communicate(given, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            raise StateProblem(
                f"git {_command(arguments)} took longer than {timeout_s:g} s and was ended; is the server reachable?"
            ) from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
        return Answer(process.returncode, out, err.decode("utf-8", "replace"))

    def out(self, *arguments: str, given: bytes = b"", timeout_s: float = LOCAL_S) -> bytes:
        """Run a command and give what it prints; raises StateProblem, in git's own words, when it fails."""
        answer = self.run(*arguments, given=given, timeout_s=timeout_s)
        if answer.code:
            raise StateProblem(f"git {_command(arguments)} failed: {reason(answer.err)}")
        return answer.out

    def word(self, *arguments: str, given: bytes = b"") -> str:
        """Run a command that prints one word, and give it."""
        return self.out(*arguments, given=given).decode("ascii", "replace").strip()


def _command(arguments: Sequence[str]) -> str:
    return next((word for word in arguments if not word.startswith("-")), "")


def reason(text: str) -> str:
    """Give why git failed, from what it wrote to standard error: printable, short, without credentials."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("fatal:", "error:", "remote:", "ssh:"))] or lines
    words = "; ".join(dict.fromkeys(told[:4])) or "it does not say why"
    return without_credentials("".join(c if c.isprintable() else "?" for c in words))[:400]


def without_credentials(text: str) -> str:
    """Give a text with user names and passwords cut out of its addresses."""
    return re.sub(r"(?i)([a-z][a-z0-9+.-]*://)[^/\s]*@", r"\1", text)
