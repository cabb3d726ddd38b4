"""A stand-in for the State's registries and geocoder: their real contracts, over real HTTP, with fictional companies.

It shares no code with the clients that ask it, so that a mistake in reading a contract cannot hide
in both places.
"""
