"""Reports: the summary, the status, workbooks of districts, the public page, dashboards."""
