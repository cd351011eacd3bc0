"""The target `torch`: the same architecture as modules of PyTorch."""
