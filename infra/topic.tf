resource "google_pubsub_topic" "events" {
  name = "strava-events"

  depends_on = [google_project_service.api]
}

resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = toset(["service", "sweep"])

  topic  = google_pubsub_topic.events.id
  role   = "roles/pubsub.publisher"
  member = google_service_account.program[each.key].member
}

resource "google_pubsub_subscription" "worker" {
  name  = "strava-events-worker"
  topic = google_pubsub_topic.events.id

  ack_deadline_seconds       = 60
  message_retention_duration = "604800s" # 7 days

  push_config {
    push_endpoint = "${local.worker_url}/push"

    oidc_token {
      service_account_email = google_service_account.program["push"].email
      audience              = local.worker_url
    }
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letters.id
    max_delivery_attempts = 100
  }

  expiration_policy {
    ttl = "" # never
  }

  # Without these rights Pub/Sub can neither push nor give up.
  depends_on = [
    google_cloud_run_v2_service_iam_member.push,
    google_pubsub_topic_iam_member.gives_up,
    google_service_account_iam_member.signs_pushes,
  ]
}

# Pub/Sub signs the tokens of its pushes in the name of the push account.
resource "google_service_account_iam_member" "signs_pushes" {
  service_account_id = google_service_account.program["push"].name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.service_agents.pubsub
}
