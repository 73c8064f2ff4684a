"""The project file, `reconciler.yaml`: where manifests are, and the ways into the platforms."""

from reconciler.project.load import load_project, read_project
from reconciler.project.project import Project

__all__ = ["Project", "load_project", "read_project"]
