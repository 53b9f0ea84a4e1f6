"""Invented deliveries of any size, in the partners' own layouts, with the truth beside them."""
