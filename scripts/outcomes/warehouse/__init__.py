"""The warehouse: its server, connections, tables and migrations."""
