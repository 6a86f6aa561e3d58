"""Issue folders: reading, picking, ordering, saving."""
