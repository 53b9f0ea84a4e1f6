"""The server of local pages."""
