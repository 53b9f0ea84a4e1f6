"""Access: roles, logins, and the record of disclosures."""
