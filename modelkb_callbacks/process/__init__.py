"""What is recorded of the process: how it began, what it uses, what it prints."""
