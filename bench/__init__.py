"""Benchmarks of Lorekeeper beside its peers: `python -m bench`. See README.md here."""
