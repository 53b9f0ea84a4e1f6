"""The Python side of the Student Outcomes Warehouse, one package a job."""
