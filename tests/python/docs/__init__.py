"""What the documentation and the YAML say is so."""
