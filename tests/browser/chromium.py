import os
import shutil


def find_chromium() -> str | None:
    """The browser of the browser tests: CHROMIUM, else the first on PATH."""
    names = ["chromium", "chromium-browser", "google-chrome"]
    given = os.environ.get("CHROMIUM")
    for name in [given] if given else names:
        path = shutil.which(name)
        if path:
            return path
    return None
