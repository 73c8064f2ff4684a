"""A team: a repository on a forge, the platforms, and the machines that run its CI."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ci_runner import Runner
from stand_in import TOKEN, StandIn

from reconciler.cli.emulated import CREDENTIALS
from reconciler.emulator.seed import PLATFORMS
from reconciler.emulator.serve import EmulatorServer

SECRETS = {
    "GITHUB_TOKEN": TOKEN,
    "LINKEDIN_ACCESS_TOKEN": CREDENTIALS["linkedin"]["access_token"],
    "X_CONSUMER_KEY": CREDENTIALS["x-ads"]["consumer_key"],
    "X_CONSUMER_SECRET": CREDENTIALS["x-ads"]["consumer_secret"],
    "X_ACCESS_TOKEN": CREDENTIALS["x-ads"]["access_token"],
    "X_ACCESS_TOKEN_SECRET": CREDENTIALS["x-ads"]["access_token_secret"],
    "SF_CLIENT_ID": CREDENTIALS["salesforce"]["client_id"],
    "SF_CLIENT_SECRET": CREDENTIALS["salesforce"]["client_secret"],
    "RECONCILER_PLAN_KEY": "a key of more than sixteen characters",
}


@dataclass
class Team:
    """A repository on a forge, and what its CI needs."""

    remote: Path
    clone: Path
    forge: StandIn
    server: EmulatorServer
    runner: Runner

    def git(self, *words: str, folder: Path | None = None) -> str:
        """Run git in the clone; gives what it prints."""
        done = subprocess.run(["git", *words], cwd=folder or self.clone, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def change(self, old: str, new: str, name: str = "experiments/x/creative-test.yaml") -> None:
        """Change a manifest."""
        path = self.clone / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def commit(self, branch: str, message: str = "change") -> str:
        """Commit everything on a branch and push it; gives the commit."""
        self.git("checkout", "-q", "-B", branch)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        self.git("push", "-q", "-f", "origin", branch)
        return self.git("rev-parse", "HEAD")

    def merge(self, branch: str) -> str:
        """Merge a branch into main and push it; gives the commit."""
        self.git("checkout", "-q", "main")
        self.git("merge", "-q", "--no-ff", "-m", "merge", branch)
        self.git("push", "-q", "origin", "main")
        return self.git("rev-parse", "HEAD")

    def edit(self, platform: str, remote_id: str, **changes: Any) -> None:
        """Change an experiment by hand, on the platform's own pages."""
        PLATFORMS[platform].tick(self.server.world)
        PLATFORMS[platform].edit(self.server.world, remote_id, changes)

    def live(self, platform: str, table: str) -> list[dict[str, Any]]:
        """Give the experiments that are live."""
        rows = self.server.world.data["tables"][platform][table]
        return list(rows.values()) if isinstance(rows, dict) else rows

    def x_test(self) -> dict[str, Any]:
        """Give the one A/B test on X."""
        (row,) = self.live("x-ads", "ab_tests")
        return row

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run reconciler in the clone, with the secrets."""
        environment = {**self.runner.variables, **SECRETS, "HOME": str(self.clone)}
        del environment["RECONCILER_PLAN_KEY"]
        return subprocess.run(["reconciler", *words], cwd=self.clone, env=environment, capture_output=True, text=True)
