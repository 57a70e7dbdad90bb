"""Keeps staging and mart level with raw and the hour: dbt stays warm in one process and runs when either moves on."""
