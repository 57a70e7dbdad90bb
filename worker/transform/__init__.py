"""Keeps staging and mart level with raw: dbt stays warm in one process and runs whenever raw has changed."""
