"""The law as files: reads and checks a rulebook directory."""
