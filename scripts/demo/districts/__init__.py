"""One writer per district: the same invented school years in that district's layout."""
