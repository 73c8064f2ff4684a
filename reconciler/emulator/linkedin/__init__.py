"""The emulated LinkedIn: `adExperiments`, `adExperimentResults`, reads of campaigns, and the token endpoint."""

from reconciler.emulator.linkedin.api import PREFIX, routes
from reconciler.emulator.linkedin.lifecycle import tick
from reconciler.emulator.linkedin.person import edit, remove
from reconciler.emulator.linkedin.seeds import seed

__all__ = ["PREFIX", "edit", "remove", "routes", "seed", "tick"]
