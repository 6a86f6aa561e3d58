"""Adapters that submit mail: outbox, SMTP, SendGrid."""
