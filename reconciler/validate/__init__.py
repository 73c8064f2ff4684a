"""Everything that needs no network and no clock: documents in, desired experiments and every problem out."""

from reconciler.validate.check import check, in_order

__all__ = ["check", "in_order"]
