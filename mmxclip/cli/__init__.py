"""What the commands share: options, launching."""
