"""Lets the tests here import the targets, and those the builders in `tests/plan`."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "plan")]
