"""JSON Schemas (draft-07) of manifests, the project file and plans, for editors and for programs that read plans."""

from reconciler.schema.write import schemas, write_schemas

__all__ = ["schemas", "write_schemas"]
