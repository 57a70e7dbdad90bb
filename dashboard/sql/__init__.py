"""The parts of the page SQL: the box and its examples, the question under way, its answer, and the tables beside it."""
