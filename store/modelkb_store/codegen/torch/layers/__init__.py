"""The layers of Keras as PyTorch has them, by families."""
