"""From paths to documents that know their file, line and column: `discover`, then `load`."""

from reconciler.manifests.discover import Discovered, SourceFile, discover
from reconciler.manifests.document import Document
from reconciler.manifests.load import MAX_BYTES, Loaded, load, load_file, load_text

__all__ = [
    "MAX_BYTES",
    "Discovered",
    "Document",
    "Loaded",
    "SourceFile",
    "discover",
    "load",
    "load_file",
    "load_text",
]
