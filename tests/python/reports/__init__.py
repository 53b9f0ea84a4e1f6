"""Reports, dashboards and notebooks."""
