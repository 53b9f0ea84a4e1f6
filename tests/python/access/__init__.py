"""Roles, disclosures and the destruction of data."""
