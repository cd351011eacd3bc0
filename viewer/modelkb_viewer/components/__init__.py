"""What pages are drawn with, one drawing function a file."""
