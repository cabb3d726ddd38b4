"""The State's company registry: one file a source, and the order in which they are asked.

Every client here keeps the same word: an outage is never read as "not found", and an answer counts
only when it is about the SIRET that was asked.
"""
