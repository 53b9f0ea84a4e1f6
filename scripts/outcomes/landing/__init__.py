"""Landing: reads delivered files into the canonical raw feeds and the ledger."""
