"""The pretend athlete's world: a believable history, made lazily from a seed, and what has been changed in it since."""
