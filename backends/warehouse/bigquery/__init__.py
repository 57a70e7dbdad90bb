"""The warehouse in BigQuery. `backends.engine` opens its parts, where Google's packages are installed."""
