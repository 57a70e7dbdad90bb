"""The demo: the whole pipeline against a pretend Strava, alive, or scripted and checked."""
