"""The dbt project; `functions.py` has the parts of it that DuckDB runs in Python."""
