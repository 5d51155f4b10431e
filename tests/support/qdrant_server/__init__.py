"""A small Qdrant: the REST API of a server over the engine of qdrant-edge-py.

It stands in where no server's binary is to be had, and the contract suite of the stores keeps it honest. It imports
nothing of this project, so that it can be put into an image as it is.
"""
