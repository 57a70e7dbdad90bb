# The jobs run the worker's image with another command.
locals {
  job_environments = {
    daily     = merge(local.warehouse_environment, local.strava_environment)
    sweep     = merge(local.warehouse_environment, local.strava_environment, local.sweep_environment)
    backfill  = merge(local.warehouse_environment, local.strava_environment)
    transform = local.warehouse_environment
    import    = merge(local.warehouse_environment, local.import_environment)
  }

  sweep_environment = {
    PUBSUB_TOPIC = google_pubsub_topic.events.id
  }

  import_environment = {
    DISPLAY_TIMEZONE    = var.display_timezone
    GOOGLE_CLOUD_REGION = var.region
    INBOX_BUCKET        = "${google_storage_bucket.inbox.name}/${local.inbox_folder}"
  }

  jobs = {
    daily     = { module = "worker.daily", timeout = "3600s", memory = "1Gi" }
    sweep     = { module = "worker.sweep", timeout = "240s", memory = "512Mi" }
    backfill  = { module = "worker.backfill_job", timeout = "86400s", memory = "1Gi" }
    transform = { module = "worker.transform", timeout = "1800s", memory = "2Gi" }
    import    = { module = "worker.import_job", timeout = "14400s", memory = "1Gi" }
  }
}

resource "google_cloud_run_v2_job" "job" {
  for_each = local.jobs

  name     = "athlete-${each.key}"
  location = var.region

  deletion_protection = false # it holds nothing

  template {
    parallelism = 1
    task_count  = 1

    template {
      service_account = google_service_account.program[each.key].email
      timeout         = each.value.timeout
      max_retries     = 0 # the exit code tells what is left to do; the next run does it, and an alert tells a person

      containers {
        image   = "${local.images}/worker:${var.image_tag}"
        command = ["python", "-m", each.value.module]

        resources {
          limits = { cpu = "1", memory = each.value.memory }
        }

        dynamic "env" {
          for_each = merge(local.shared_environment, local.job_environments[each.key], var.settings)

          content {
            name  = env.key
            value = env.value
          }
        }

        dynamic "env" {
          for_each = local.secret_environment[each.key]

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
  }

  depends_on = [google_secret_manager_secret_iam_member.reader]
}

# Who may start which job: the scheduler the three that it runs by the clock, who brings fresh data the transform, and the
# sweep those that are due.
locals {
  job_starters = {
    "daily/scheduler"    = { job = "daily", program = "scheduler" }
    "sweep/scheduler"    = { job = "sweep", program = "scheduler" }
    "import/scheduler"   = { job = "import", program = "scheduler" }
    "transform/worker"   = { job = "transform", program = "worker" }
    "transform/daily"    = { job = "transform", program = "daily" }
    "transform/sweep"    = { job = "transform", program = "sweep" }
    "transform/backfill" = { job = "transform", program = "backfill" }
    "transform/import"   = { job = "transform", program = "import" }
    "backfill/sweep"     = { job = "backfill", program = "sweep" }
  }
}

resource "google_cloud_run_v2_job_iam_member" "starter" {
  for_each = local.job_starters

  name     = google_cloud_run_v2_job.job[each.value.job].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.program[each.value.program].member
}
