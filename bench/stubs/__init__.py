"""Servers that cost the measured program nothing but the talk: an embedder, a language model and a Qdrant, on loopback.

Each runs in a process of its own (`python -m bench.stubs models|qdrant`), so its work is not in the program's CPU time.
"""
