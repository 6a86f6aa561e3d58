"""Intake: a story file becomes an article; the inbox keeps it."""
