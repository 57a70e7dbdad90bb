"""`python -m athlete`."""

from athlete.main import app

app()
