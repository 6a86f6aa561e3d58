"""Merge fields, MIME, headers, links and their tokens. Pure: bytes in, bytes out."""
