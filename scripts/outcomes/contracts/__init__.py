"""Data contracts: what each partner may send, how it is written, how often it comes."""
