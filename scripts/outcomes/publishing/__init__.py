"""Publishing: builds with dbt, the runs and their publications, released school years."""
