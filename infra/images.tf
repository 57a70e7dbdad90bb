resource "google_artifact_registry_repository" "images" {
  repository_id = "athlete-dashboard"
  location      = var.region
  format        = "DOCKER"
  description   = "Images of service, worker and dashboard."

  # The newest ten of each image stay, for a way back; others go after 30 days.
  cleanup_policies {
    id     = "keep-newest"
    action = "KEEP"

    most_recent_versions {
      keep_count = 10
    }
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"

    condition {
      tag_state  = "ANY"
      older_than = "2592000s"
    }
  }

  depends_on = [google_project_service.api]
}
