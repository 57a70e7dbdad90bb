# A message that used up its attempts. One subscription has the worker note it in the ledger, the other keeps it.
resource "google_pubsub_topic" "dead_letters" {
  name = "strava-events-dead"

  depends_on = [google_project_service.api]
}

resource "google_pubsub_topic_iam_member" "gives_up" {
  topic  = google_pubsub_topic.dead_letters.id
  role   = "roles/pubsub.publisher"
  member = local.service_agents.pubsub
}

# To move a message to the dead letters, Pub/Sub acknowledges it here.
resource "google_pubsub_subscription_iam_member" "gives_up" {
  subscription = google_pubsub_subscription.worker.id
  role         = "roles/pubsub.subscriber"
  member       = local.service_agents.pubsub
}

resource "google_pubsub_subscription" "dead_letters_kept" {
  name  = "strava-events-dead-kept"
  topic = google_pubsub_topic.dead_letters.id

  message_retention_duration = "2678400s" # 31 days, the longest there is

  expiration_policy {
    ttl = "" # never
  }
}

resource "google_pubsub_subscription" "dead_letters_worker" {
  name  = "strava-events-dead-worker"
  topic = google_pubsub_topic.dead_letters.id

  ack_deadline_seconds       = 60
  message_retention_duration = "604800s" # 7 days

  push_config {
    push_endpoint = "${local.worker_url}/dead-letter"

    oidc_token {
      service_account_email = google_service_account.program["push"].email
      audience              = local.worker_url
    }
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  expiration_policy {
    ttl = "" # never
  }

  depends_on = [
    google_cloud_run_v2_service_iam_member.push,
    google_service_account_iam_member.signs_pushes,
  ]
}
