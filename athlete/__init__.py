"""The command line: one command per chore."""
