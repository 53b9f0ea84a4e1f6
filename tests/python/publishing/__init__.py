"""Building beside what people read, and putting it in place at once."""
