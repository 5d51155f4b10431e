"""Vector stores: Qdrant's REST API, and Qdrant's engine in this process."""

__all__: list[str] = []
