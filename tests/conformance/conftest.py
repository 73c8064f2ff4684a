"""The laboratory of the conformance suite, for the tests here."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from laboratory import lab, server

__all__ = ["lab", "server"]
