"""What the REST API answers, one module for each kind of thing."""
