"""Which checkpoint goes with which config."""
