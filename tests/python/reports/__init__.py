"""What the warehouse tells people."""
