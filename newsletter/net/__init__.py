"""The guarded fetch: the only HTTP besides providers."""
