"""A Strava simulator that knows only Strava's documentation; it serves the demo and the tests."""
