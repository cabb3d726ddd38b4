"""Our book: applications, numbers, permits, footprints, documents and the audit chain, in PostgreSQL."""
