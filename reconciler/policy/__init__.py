"""
Guardrails of a project: expressions in CEL over an experiment, its change and the project.

`engine` is the only module that knows the CEL library; `variables` is the table of what an expression may speak of,
`library` that of the ready ones; `read` makes policies of the project file, `judge` holds experiments and plans against
them, `cases` runs the table cases that are written beside them.
"""
