"""What is recorded of the data that a training consumes."""
