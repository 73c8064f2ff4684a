"""The command line: alone in printing, in reading the environment, and in exit codes."""
