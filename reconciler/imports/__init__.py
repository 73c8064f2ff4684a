"""Live experiments to manifests: what to state, what to call it, where to write it, and the record of it."""

from reconciler.imports.result import Imported, ImportResult, Outcome
from reconciler.imports.run import Options, import_all, import_one

__all__ = ["ImportResult", "Imported", "Options", "Outcome", "import_all", "import_one"]
