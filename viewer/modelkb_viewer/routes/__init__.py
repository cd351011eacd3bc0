"""What the viewer's server answers beside the pages."""
