"""Operations: what works on the whole warehouse: the weekly run, purge, backup."""
