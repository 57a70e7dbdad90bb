"""The service answers Strava's webhook challenge and stores each event on the queue before it answers 200."""
