"""The dashboards: pages for each role, each with a finding, charts and tables."""
