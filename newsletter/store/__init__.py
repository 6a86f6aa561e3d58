"""The database: tables, migrations, engine, clock."""
