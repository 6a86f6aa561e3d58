"""What mail clients do to an email."""
