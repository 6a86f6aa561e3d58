"""The composer: an editor builds an issue in the browser, in the very files that the command line edits."""
