"""Frames normalised with the mean and deviation of CLIP's training.

For towers of others, which start as they were trained; the released X-CLIPs, and what
continues from them, have ImageNet's.
"""

tower = dict(
    data_preprocessor=dict(
        mean=[122.771, 116.746, 104.094], std=[68.501, 66.632, 70.323]
    )
)
