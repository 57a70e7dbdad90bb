"""The service answers Strava's challenge, stores each event before it answers 200, and connects athletes."""
