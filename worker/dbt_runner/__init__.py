"""Keeps staging and mart level with raw and the hour: one process stays and refreshes when either moves on."""
