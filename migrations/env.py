"""Alembic's entry: runs the migrations on the connection it is handed (see permits.register.database).

The register only moves forward: a revision has no downgrade, a backup is restored instead.
"""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
