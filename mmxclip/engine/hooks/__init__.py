"""Hooks that the host lacks."""
