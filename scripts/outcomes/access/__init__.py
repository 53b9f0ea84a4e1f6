"""Who may read what: roles, the record of disclosures, and the destruction of data."""
