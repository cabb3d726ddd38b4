"""What runs later: finishing permits that a crash interrupted, deciding what waited for the registry."""
