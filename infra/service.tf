# Public: Strava posts events to it. Its webhook's path is a secret, and it may do nothing but publish.
resource "google_cloud_run_v2_service" "service" {
  name     = "athlete-service"
  location = var.region
  ingress  = "INGRESS_TRAFFIC_ALL"

  deletion_protection = false # it holds nothing

  template {
    service_account                  = google_service_account.program["service"].email
    timeout                          = "10s"
    max_instance_request_concurrency = 200

    scaling {
      min_instance_count = var.service_min_instances
      max_instance_count = 4
    }

    containers {
      image   = "${local.images}/service:${var.image_tag}"
      command = ["python", "-m", "service.main"]

      ports {
        container_port = 8080
      }

      resources {
        limits            = { cpu = "1", memory = "512Mi" }
        cpu_idle          = true # processor time only while it answers
        startup_cpu_boost = true
      }

      startup_probe {
        period_seconds    = 2
        timeout_seconds   = 2
        failure_threshold = 30

        http_get {
          path = "/health"
          port = 8080
        }
      }

      dynamic "env" {
        for_each = merge(local.shared_environment, local.service_environment)

        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = local.secret_environment["service"]

        content {
          name = env.key

          value_source {
            secret_key_ref {
              secret  = env.value
              version = "latest"
            }
          }
        }
      }
    }
  }

  # Cloud Run reads the secrets, and the first thing that the service does is to publish a probe.
  depends_on = [
    google_pubsub_topic_iam_member.publisher,
    google_secret_manager_secret_iam_member.reader,
  ]
}

locals {
  service_environment = {
    PUBLIC_URL   = local.public_url
    PUBSUB_TOPIC = google_pubsub_topic.events.id
    SERVICE_HOST = "0.0.0.0"
    SERVICE_PORT = "8080"
  }
}

resource "google_cloud_run_v2_service_iam_member" "public" {
  name     = google_cloud_run_v2_service.service.name
  location = var.region
  role     = "roles/run.invoker"
  member   = "allUsers"
}
