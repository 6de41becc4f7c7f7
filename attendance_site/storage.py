"""Static files under hashed names."""

import hashlib
from typing import Any

from django.conf import settings
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """
    Hashes the imports inside ES modules too, so that no stale module is mixed in.

    Releases that run side by side share the files, so that a page of either finds its
    own at both, but each has its list of them: a process that starts again after the
    next release was collected would otherwise name that one's.
    """

    support_js_module_import_aggregation = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Releases lie in folders of their own. A hash, because the list lies where
        # everybody may read it.
        release = hashlib.sha256(str(settings.BASE_DIR).encode()).hexdigest()[:12]
        self.manifest_name = f"staticfiles.{release}.json"
        super().__init__(*args, **kwargs)
