"""What the service costs: `make bench`."""
