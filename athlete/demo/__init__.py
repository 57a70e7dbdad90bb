"""The demo: the whole pipeline against a Strava simulator, running on, or through a scenario that is checked."""
