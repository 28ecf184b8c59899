"""Random states that follow from what they are for."""

import random

import numpy as np
import torch


def seed_from(*numbers: int) -> int:
    """Seed Python, NumPy and torch's CPU generator.

    Args:
        *numbers: What is drawn for, integers from 0 such as seed, epoch and index.
            Neighbours have unrelated states.

    Returns:
        int: A seed of 32 bits for any other generator.
    """
    state = [int(word) for word in np.random.SeedSequence(numbers).generate_state(4)]
    random.seed(state[0])
    np.random.seed(state[1])
    torch.default_generator.manual_seed(state[2])
    return state[3]
