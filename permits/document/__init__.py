"""The arrêté as a document: printed, linted, sealed and verified, from the frozen payload alone."""
