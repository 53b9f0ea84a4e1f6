"""Data contracts: what each partner may send, how it is written, how often it comes.

`reader` reads and checks them. A contract is a `model`, with the `agreement` and, for each kind
of file, a `layout`. `sql` runs what a contract says in SQL.
"""
