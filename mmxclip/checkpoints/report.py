"""What became of every tensor of a checkpoint."""

Shape = tuple[int, ...]


class CheckpointError(ValueError):
    """A checkpoint cannot be used; the message says why."""
