"""The parts of the page Gear: the table of all pieces, what needs a service, and the months."""
