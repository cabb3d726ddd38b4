"""Thin HTTP: turns requests into the walk, and what it answers into JSON, pages and problems."""
