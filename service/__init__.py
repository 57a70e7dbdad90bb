"""The service: answers Strava's webhook challenge and makes each event durable before it says 200."""
