"""The simulated athlete's world: a believable history made from a seed, and the changes made since."""
