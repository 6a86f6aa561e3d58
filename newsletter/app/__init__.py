"""One function per use case: what the command line and the web share. Read this package first."""
