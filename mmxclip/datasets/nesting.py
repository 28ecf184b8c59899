"""Data sets in configs."""

from mmengine.config import ConfigDict


def innermost_dataset(loader: ConfigDict) -> ConfigDict:
    """Return the data set of a loader's config, out of RepeatDataset and the like."""
    dataset = loader.dataset
    while 'dataset' in dataset:
        dataset = dataset.dataset
    return dataset
