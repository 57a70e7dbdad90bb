"""A pretend Strava that knows only Strava's documentation; it serves the demo and the tests."""
