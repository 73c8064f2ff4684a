"""GitHub and GitLab as places to tell of plans and drift: one comment, one issue, one check, each found again."""
