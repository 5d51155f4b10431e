"""Tests of the repository itself: layout, locks, documents, and the codes that users see."""
