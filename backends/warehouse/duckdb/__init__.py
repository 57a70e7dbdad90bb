"""What dbt built with DuckDB: published, read, and queried by a person."""
