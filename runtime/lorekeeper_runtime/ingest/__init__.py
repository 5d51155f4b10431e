"""Ingestion: keeps the collection of a revision equal to its sources, document by document.

A sync is one (revision, source): list, diff, guard, then fetch → parse → chunk → embed → upsert for what changed, then
sweep what is gone. `sync.sync_source` is the way in.
"""
