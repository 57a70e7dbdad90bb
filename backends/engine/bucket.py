"""The bucket folder that is the inbox on Google Cloud."""

from backends.bucket import Bucket
from backends.engine import google_packages
from runtime.settings import PartMissing, SharedSettings


def open_bucket(settings: SharedSettings, place: str, endpoint: str) -> Bucket:
    """Return the folder `BUCKET/FOLDER`. Raises PartMissing, BucketUnavailable."""
    if not place:
        raise PartMissing("INBOX_BUCKET is empty: write BUCKET/FOLDER, such as my-project-inbox/inbox.")
    with google_packages():
        from backends.bucket.cloud_storage import CloudStorageBucket  # noqa: PLC0415 - Google's packages
    return CloudStorageBucket(place, project=settings.google_cloud_project, endpoint=endpoint)
