"""The dbt project; `polyline.py` is the part of it that DuckDB runs in Python."""
