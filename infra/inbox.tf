# Where the athletes' own files are put: an object in the folder waits, the import job moves it to a folder within.
locals {
  inbox_folder = "inbox"
}

resource "google_storage_bucket" "inbox" {
  name     = "${var.project_id}-inbox"
  location = var.region

  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false # a teardown stops here while it holds files

  soft_delete_policy {
    retention_duration_seconds = 0 # what is deleted is gone at once, as after a purge it must be
  }

  depends_on = [google_project_service.api]
}

resource "google_storage_bucket_iam_member" "inbox" {
  bucket = google_storage_bucket.inbox.name
  role   = "roles/storage.objectUser"
  member = google_service_account.program["import"].member
}
