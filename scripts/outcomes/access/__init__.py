"""Access: roles, logins, the record of disclosures, and the destruction of data."""
