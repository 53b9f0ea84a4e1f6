"""The PostgreSQL that holds the warehouse: the embedded server, connections, tables."""
