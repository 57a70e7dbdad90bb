"""Everything that speaks Strava: client, OAuth, events, payload reading, errors. Knows no database and no cloud."""
