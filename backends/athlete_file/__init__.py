"""The file that an athlete owns, athlete.toml in DATA_DIR: settings that Strava does not know, goals, gear."""
