"""Checkpoints: one way from a file into a model (`load`), and one back (`save`)."""
