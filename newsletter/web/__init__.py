"""Pages: the live preview."""
