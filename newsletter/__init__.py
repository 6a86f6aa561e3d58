"""An email newsletter builder for newsrooms: pick, preview, test, approve, send exactly what was approved."""

__version__ = "0.1.0"
