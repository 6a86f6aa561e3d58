"""Sources: feeds, sitemaps and CMS that stories come in from."""
