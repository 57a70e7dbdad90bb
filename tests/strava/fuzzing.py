"""How many damaged files the tests draw, and from which seed: `make fuzz` asks for more of them, and for others."""

import os

INPUTS = int(os.environ.get("FUZZ_INPUTS", "4000"))
SEED = int(os.environ.get("FUZZ_SEED", "7"))
