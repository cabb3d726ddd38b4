"""From a postal address to a point: only to tell an applicant that a footprint lies far from its address."""
