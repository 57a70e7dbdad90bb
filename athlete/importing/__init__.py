"""`athlete import`: reads an athlete's own files."""
