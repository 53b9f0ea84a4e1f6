"""The warehouse: its server, connections and tables; builds, publications, backups."""
