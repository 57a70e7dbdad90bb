"""The parts of the page Year: the choice of two years, their numbers, calendars, months, mix and what was reached."""
