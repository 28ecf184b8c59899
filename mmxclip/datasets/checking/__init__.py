"""What can be wrong with data, found before a training wastes days."""
