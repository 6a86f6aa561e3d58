"""The folder with newsletter.toml: finding it, its configuration, its themes, its file formats."""
