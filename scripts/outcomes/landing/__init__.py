"""Landing: from delivered files to the canonical raw feeds and the ledger."""
