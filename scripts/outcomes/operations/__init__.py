"""Operations: what works on the whole warehouse, such as the purge of a partner, or a backup."""
