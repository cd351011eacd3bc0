"""What people look at: the command line, and later the pages and the REST API."""
