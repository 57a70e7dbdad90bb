"""What every program needs to run: settings, logs, serving, startup, the clock. Knows no room."""
