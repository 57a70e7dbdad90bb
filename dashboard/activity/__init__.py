"""The cards of the Activity page."""
