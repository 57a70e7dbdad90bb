"""`athlete doctor`: what is wrong with anything that the pipeline needs, and how to mend it."""
