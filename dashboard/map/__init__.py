"""The cards of the Map page."""
