"""Reports: the summary, the districts' workbooks, the public page."""
