"""The layers and operations of Keras as PyTorch has them, by families."""
