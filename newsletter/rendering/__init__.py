"""An issue becomes an email, in ordered steps (steps.py)."""
