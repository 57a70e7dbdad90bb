"""The demo: the whole pipeline against a Strava simulator, alive, or scripted and checked."""
