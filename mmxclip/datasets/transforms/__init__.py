"""Transforms that MMAction2 lacks."""
