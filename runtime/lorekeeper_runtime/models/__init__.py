"""Models: who turns texts into vectors and who writes answers. Nothing heavy is imported before it is used."""
