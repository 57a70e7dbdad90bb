"""An athlete's own files: Strava's bulk export as a ZIP or folder, or single recordings, read without unpacking."""
