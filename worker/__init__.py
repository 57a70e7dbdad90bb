"""The worker: turns each pushed event into the activity's newest state in `raw`, and keeps the marts fresh."""
