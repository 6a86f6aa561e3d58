"""Speed, size and memory, as figures with the limits they are held against: ``./dev bench``."""
