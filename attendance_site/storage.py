"""Static files under hashed names."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Hashes the imports inside ES modules too, so that no stale module is mixed in."""

    support_js_module_import_aggregation = True
