# Private: it takes pushes of this project's Pub/Sub, from the push account alone, and checks the token itself as well.
resource "google_cloud_run_v2_service" "worker" {
  name     = "athlete-worker"
  location = var.region
  ingress  = "INGRESS_TRAFFIC_INTERNAL_ONLY"

  custom_audiences    = [local.worker_url]
  deletion_protection = false # it holds nothing

  template {
    service_account                  = google_service_account.program["worker"].email
    timeout                          = "60s" # the acknowledgement deadline
    max_instance_request_concurrency = 400   # what waits together is stored by one statement; the server takes 500 connections

    scaling {
      min_instance_count = 0
      max_instance_count = 2
    }

    containers {
      image   = "${local.images}/worker:${var.image_tag}"
      command = ["python", "-m", "worker.main"]

      ports {
        container_port = 8081
      }

      resources {
        limits            = { cpu = "1", memory = "1Gi" }
        cpu_idle          = true # processor time only while it answers; the sweep does what is due in between
        startup_cpu_boost = true
      }

      startup_probe {
        period_seconds    = 2
        timeout_seconds   = 2
        failure_threshold = 30

        http_get {
          path = "/health"
          port = 8081
        }
      }

      dynamic "env" {
        for_each = merge(local.shared_environment, local.warehouse_environment, local.strava_environment, local.worker_environment, var.settings)

        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = local.secret_environment["worker"]

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

  # Cloud Run reads the secrets, and the first thing that the worker does is to look for the tables of raw.
  depends_on = [
    google_bigquery_dataset_access.program,
    google_project_iam_member.runs_queries,
    google_project_iam_member.token_keeper,
    google_secret_manager_secret_iam_member.reader,
  ]
}

locals {
  worker_environment = {
    PUSH_AUDIENCE        = local.worker_url
    PUSH_SERVICE_ACCOUNT = google_service_account.program["push"].email
    WORKER_ALLOWED_HOSTS = local.hosts.worker
    WORKER_HOST          = "0.0.0.0"
    WORKER_PORT          = "8081"
  }
}

resource "google_cloud_run_v2_service_iam_member" "push" {
  name     = google_cloud_run_v2_service.worker.name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.program["push"].member
}
