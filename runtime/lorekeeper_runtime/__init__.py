"""The runtime: ingestion and the query service. It has no Kubernetes client and reads one configuration file."""
