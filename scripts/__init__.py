"""What the Makefile runs: the demo and the checks. Nothing here is installed."""
