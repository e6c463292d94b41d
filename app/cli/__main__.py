"""``python -m app.cli`` is ``vitals``."""

from app.cli import main

main()
