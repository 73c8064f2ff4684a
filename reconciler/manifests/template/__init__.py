"""Expressions in manifests: `{{ … }}` inside scalars, evaluated once the YAML is read, so that no value changes it."""

from reconciler.manifests.template.scan import escaped, has_expression
from reconciler.manifests.template.scope import Defaults, Scope, Variable

__all__ = ["Defaults", "Scope", "Variable", "escaped", "has_expression"]
