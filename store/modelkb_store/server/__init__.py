"""The client of a server: a store that another machine has, read and recorded to by its API."""
