"""The laboratory and the fault table of the conformance suite, for the tests here."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "conformance"))

from laboratory import lab, server

__all__ = ["lab", "server"]
