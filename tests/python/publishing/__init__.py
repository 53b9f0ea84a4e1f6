"""Publishing: builds in schemas of their own, published all at once."""
