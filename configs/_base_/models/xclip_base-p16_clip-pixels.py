"""X-CLIP-B/16 on frames normalised with the mean and deviation of CLIP's training.

For towers of others, which start as they were trained; the released X-CLIPs, and what
continues from them, have ImageNet's.
"""

_base_ = './xclip_base-p16.py'

model = dict(
    data_preprocessor=dict(
        mean=[122.771, 116.746, 104.094], std=[68.501, 66.632, 70.323]
    )
)
