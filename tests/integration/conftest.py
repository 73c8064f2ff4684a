"""The laboratory of the conformance suite, for the tests here too; processes of their own have the real clock."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "conformance"))

from laboratory import lab, server
from running import real_time

__all__ = ["lab", "real_time", "server"]
