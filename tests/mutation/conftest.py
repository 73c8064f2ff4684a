"""Lets the tests here import what makes and tries the changes."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
