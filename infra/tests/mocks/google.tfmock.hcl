# What the provider would make up: one value per thing, so that a test can tell them apart in a plan.

mock_data "google_project" {
  defaults = { number = "123456789012" }
}

override_resource {
  target          = google_service_account.program["service"]
  override_during = plan
  values = {
    email  = "athlete-service@test"
    member = "serviceAccount:athlete-service@test"
    name   = "accounts/service"
  }
}

override_resource {
  target          = google_service_account.program["worker"]
  override_during = plan
  values = {
    email  = "athlete-worker@test"
    member = "serviceAccount:athlete-worker@test"
    name   = "accounts/worker"
  }
}

override_resource {
  target          = google_service_account.program["daily"]
  override_during = plan
  values = {
    email  = "athlete-daily@test"
    member = "serviceAccount:athlete-daily@test"
    name   = "accounts/daily"
  }
}

override_resource {
  target          = google_service_account.program["sweep"]
  override_during = plan
  values = {
    email  = "athlete-sweep@test"
    member = "serviceAccount:athlete-sweep@test"
    name   = "accounts/sweep"
  }
}

override_resource {
  target          = google_service_account.program["backfill"]
  override_during = plan
  values = {
    email  = "athlete-backfill@test"
    member = "serviceAccount:athlete-backfill@test"
    name   = "accounts/backfill"
  }
}

override_resource {
  target          = google_service_account.program["transform"]
  override_during = plan
  values = {
    email  = "athlete-transform@test"
    member = "serviceAccount:athlete-transform@test"
    name   = "accounts/transform"
  }
}

override_resource {
  target          = google_service_account.program["import"]
  override_during = plan
  values = {
    email  = "athlete-import@test"
    member = "serviceAccount:athlete-import@test"
    name   = "accounts/import"
  }
}

override_resource {
  target          = google_service_account.program["dashboard"]
  override_during = plan
  values = {
    email  = "athlete-dashboard@test"
    member = "serviceAccount:athlete-dashboard@test"
    name   = "accounts/dashboard"
  }
}

override_resource {
  target          = google_service_account.program["push"]
  override_during = plan
  values = {
    email  = "athlete-push@test"
    member = "serviceAccount:athlete-push@test"
    name   = "accounts/push"
  }
}

override_resource {
  target          = google_service_account.program["scheduler"]
  override_during = plan
  values = {
    email  = "athlete-scheduler@test"
    member = "serviceAccount:athlete-scheduler@test"
    name   = "accounts/scheduler"
  }
}

override_resource {
  target          = google_pubsub_topic.events
  override_during = plan
  values = {
    id = "projects/test-project/topics/strava-events"
  }
}

override_resource {
  target          = google_pubsub_topic.dead_letters
  override_during = plan
  values = {
    id = "projects/test-project/topics/strava-events-dead"
  }
}

override_resource {
  target          = google_cloud_run_v2_job.job["daily"]
  override_during = plan
  values = {
    id = "projects/test-project/locations/europe-west1/jobs/athlete-daily"
  }
}

override_resource {
  target          = google_cloud_run_v2_job.job["sweep"]
  override_during = plan
  values = {
    id = "projects/test-project/locations/europe-west1/jobs/athlete-sweep"
  }
}

override_resource {
  target          = google_cloud_run_v2_job.job["backfill"]
  override_during = plan
  values = {
    id = "projects/test-project/locations/europe-west1/jobs/athlete-backfill"
  }
}

override_resource {
  target          = google_cloud_run_v2_job.job["transform"]
  override_during = plan
  values = {
    id = "projects/test-project/locations/europe-west1/jobs/athlete-transform"
  }
}

override_resource {
  target          = google_cloud_run_v2_job.job["import"]
  override_during = plan
  values = {
    id = "projects/test-project/locations/europe-west1/jobs/athlete-import"
  }
}

override_resource {
  target          = google_project_iam_custom_role.token_keeper
  override_during = plan
  values = {
    name = "projects/test-project/roles/athleteTokenKeeper"
  }
}

override_resource {
  target          = google_project_iam_custom_role.token_directory
  override_during = plan
  values = {
    name = "projects/test-project/roles/athleteTokenDirectory"
  }
}

override_resource {
  target          = google_service_account.builder["build"]
  override_during = plan
  values = {
    email  = "athlete-build@test"
    member = "serviceAccount:athlete-build@test"
    id     = "accounts/build"
    name   = "accounts/build"
  }
}

override_resource {
  target          = google_service_account.builder["deploy"]
  override_during = plan
  values = {
    email  = "athlete-deploy@test"
    member = "serviceAccount:athlete-deploy@test"
    id     = "accounts/deploy"
    name   = "accounts/deploy"
  }
}
