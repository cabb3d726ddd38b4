"""Street-occupation permits: from a SIRET to a sealed arrêté."""

__version__ = "0.1.0"
