"""What a source says, found without running it."""
