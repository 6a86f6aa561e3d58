"""Subscribers, consent, suppression, import and export."""
