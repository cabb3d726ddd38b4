"""Acts as documents: printed, linted, sealed and verified, from the frozen payload alone."""

from pathlib import Path

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
