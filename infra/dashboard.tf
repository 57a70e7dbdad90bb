# Behind Identity-Aware Proxy: only IAP may call it, and IAP lets in who is named in `viewers`.
resource "google_cloud_run_v2_service" "dashboard" {
  name     = "athlete-dashboard"
  location = var.region
  ingress  = "INGRESS_TRAFFIC_ALL"

  deletion_protection = false # it holds nothing

  template {
    service_account                  = google_service_account.program["dashboard"].email
    timeout                          = "3600s" # an open page is one long request
    max_instance_request_concurrency = 80
    session_affinity                 = true # a page that connects again finds its session

    scaling {
      min_instance_count = 0
      max_instance_count = 2
    }

    containers {
      image   = "${local.images}/dashboard:${var.image_tag}"
      command = ["python", "-m", "dashboard"]

      ports {
        container_port = 8501
      }

      resources {
        limits            = { cpu = "1", memory = "1Gi" }
        cpu_idle          = true
        startup_cpu_boost = true
      }

      startup_probe {
        period_seconds    = 2
        timeout_seconds   = 2
        failure_threshold = 30

        http_get {
          path = "/_stcore/health" # Streamlit's own
          port = 8501
        }
      }

      dynamic "env" {
        for_each = merge(local.shared_environment, local.warehouse_environment, local.dashboard_environment)

        content {
          name  = env.key
          value = env.value
        }
      }
    }
  }
}

locals {
  dashboard_environment = {
    DASHBOARD_HOST      = "0.0.0.0"
    DASHBOARD_PORT      = "8501"
    DASHBOARD_REFRESH_S = "15" # each look is a call, though a free one
    DASHBOARD_VIEWERS   = jsonencode(var.viewers)
    DISPLAY_TIMEZONE    = var.display_timezone
  }
}
