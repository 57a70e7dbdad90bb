"""The parts of the page Data quality: every check with what it found, and the activities of one."""
