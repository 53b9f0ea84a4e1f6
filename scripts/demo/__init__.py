"""Invented deliveries of any size, in the partners' layouts, with the true persons."""
