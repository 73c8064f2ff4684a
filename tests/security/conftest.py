"""The laboratory of the conformance suite, for the tests of the threat model."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "conformance"))

from laboratory import lab, server

__all__ = ["lab", "server"]
