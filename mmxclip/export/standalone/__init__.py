"""What an exported model runs with, where there is no PyTorch."""
