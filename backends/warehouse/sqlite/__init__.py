"""`raw` in the pipeline's SQLite file."""
