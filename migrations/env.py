"""One environment for all owners of tables, the hub and the plugins: whose turn it is, ``hub.database.migrations`` says."""

from alembic import context

from hub.database import migrations

connection = context.config.attributes["connection"]
context.configure(connection=connection, **migrations.context_options(context.config.attributes["owner"], connection))
context.run_migrations()
migrations.require_sound_references(connection)
