"""Approval, plan, ledger, sender: everything between an approved issue and a closed sum."""
