"""Linking: what Python does for the models under `models/identity/linking/`."""
