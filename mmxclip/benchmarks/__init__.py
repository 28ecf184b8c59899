"""Speed of the model and of the data, and comparisons of methods."""
