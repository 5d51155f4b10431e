"""What a person types: `lorekeeper run`, `ingest`, `ask`, `search`, `check` and `version`.

Nothing heavy is imported here or in `__main__`: each command imports what it needs when it runs.
"""
