"""Video files that are made."""
