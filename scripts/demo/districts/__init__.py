"""Writers of the invented school years, one for each district's layout."""
