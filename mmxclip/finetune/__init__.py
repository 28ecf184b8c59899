"""From a folder of videos to a model: lists, a config, training, a report."""
