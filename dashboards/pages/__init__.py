"""The built-in pages: pure view models, templates and static files; HTTP stands in ``api``."""
