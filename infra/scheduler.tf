locals {
  schedules = {
    daily  = { cron = "0 7 * * *", retries = 3 }
    sweep  = { cron = "*/5 * * * *", retries = 0 } # the next one comes soon
    import = { cron = "30 6 * * *", retries = 0 }  # for what nobody started it for
  }
}

resource "google_cloud_scheduler_job" "job" {
  for_each = local.schedules

  name      = "athlete-${each.key}"
  region    = var.region
  schedule  = each.value.cron
  time_zone = var.display_timezone

  attempt_deadline = "60s" # to start the job; it runs by itself then

  retry_config {
    retry_count          = each.value.retries
    min_backoff_duration = "60s"
  }

  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/${google_cloud_run_v2_job.job[each.key].id}:run"

    oauth_token {
      service_account_email = google_service_account.program["scheduler"].email
    }
  }

  depends_on = [google_cloud_run_v2_job_iam_member.starter]
}
