"""Values in, text out: plans, diagnostics, outcomes and drift as people and programs read them. No I/O here."""
