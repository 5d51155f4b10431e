"""The library pipelines that a user would write, run by a Python environment of their own."""
