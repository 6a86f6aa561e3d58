"""Rules on a finished email; each finding names its story and field."""
