"""The API of Lorekeeper: custom resources as pydantic models, and the contract between operator and runtime.

This package needs the standard library and pydantic, nothing else (a test reads its imports).
"""

__version__ = "0.1.0.dev0"
