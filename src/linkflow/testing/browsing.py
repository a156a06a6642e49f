"""Where the browser is that tests of the editor use."""

import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> Path | None:
    """Find an installed Chromium."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return Path(found) if found else None
