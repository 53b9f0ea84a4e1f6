"""The documentation and the YAML agree with the project."""
