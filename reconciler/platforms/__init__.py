"""The platforms that experiments run on: what each lets us do, and how to talk to it."""

import sys

# The HTTP library brings a command line of its own along, with all of rich, for nobody here. None means "not there",
# which it is prepared for.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
