# How the programs run, what starts them, and who is told when something is wrong.
mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project_id       = "test-project"
  billing_account  = "012345-6789AB-CDEF01"
  image_tag        = "1.2.3"
  strava_client_id = "42"
  alert_emails     = ["me@example.org", "on-call@example.org"]

  # The defaults, stated because terraform.tfvars would give others.
  region                = "europe-west1"
  dataset_location      = "EU"
  base_image            = "python:3.11-slim-bookworm"
  repository            = null
  public_url            = null
  viewers               = {}
  monthly_budget        = 20
  display_timezone      = "Europe/Berlin"
  log_level             = "INFO"
  service_min_instances = 1
  maximum_bytes_billed  = 10737418240
  settings              = {}
}

run "programs" {
  command = plan

  # Services start when they answer.
  assert {
    condition = {
      for service in [google_cloud_run_v2_service.service, google_cloud_run_v2_service.worker, google_cloud_run_v2_service.dashboard] :
      service.name => [
        service.template[0].containers[0].image,
        service.template[0].containers[0].startup_probe[0].http_get[0].path,
        tostring(service.template[0].scaling[0].min_instance_count),
        tostring(service.template[0].containers[0].resources[0].cpu_idle),
      ]
      } == {
      athlete-service   = ["europe-west1-docker.pkg.dev/test-project/athlete-dashboard/service:1.2.3", "/health", "1", "true"]
      athlete-worker    = ["europe-west1-docker.pkg.dev/test-project/athlete-dashboard/worker:1.2.3", "/health", "0", "true"]
      athlete-dashboard = ["europe-west1-docker.pkg.dev/test-project/athlete-dashboard/dashboard:1.2.3", "/_stcore/health", "0", "true"]
    }
    error_message = "One service is always warm, none has its processor between requests, and each is asked before it gets requests."
  }
  assert {
    condition = alltrue([
      for service in [google_cloud_run_v2_service.service, google_cloud_run_v2_service.worker, google_cloud_run_v2_service.dashboard] :
      service.template[0].containers[0].startup_probe[0].http_get[0].port == service.template[0].containers[0].ports[0].container_port
    ])
    error_message = "The probe asks the port that the program listens on."
  }
  assert {
    condition = [
      for pair in [
        [google_cloud_run_v2_service.service, "SERVICE_PORT"],
        [google_cloud_run_v2_service.worker, "WORKER_PORT"],
        [google_cloud_run_v2_service.dashboard, "DASHBOARD_PORT"],
      ] :
      one([for env in pair[0].template[0].containers[0].env : env.value if env.name == pair[1]])
      == tostring(pair[0].template[0].containers[0].ports[0].container_port)
    ] == [true, true, true]
    error_message = "The programs are told the port that Cloud Run sends requests to."
  }

  # Jobs run the worker's image.
  assert {
    condition = { for name, job in google_cloud_run_v2_job.job : name => join(" ", job.template[0].template[0].containers[0].command) } == {
      daily     = "python -m worker.daily"
      sweep     = "python -m worker.sweep"
      backfill  = "python -m worker.backfill_job"
      transform = "python -m worker.transform"
      import    = "python -m worker.import_job"
    }
    error_message = "Each job has its module."
  }
  assert {
    condition = alltrue([
      for job in google_cloud_run_v2_job.job :
      job.template[0].template[0].containers[0].image == "europe-west1-docker.pkg.dev/test-project/athlete-dashboard/worker:1.2.3"
      && job.template[0].template[0].max_retries == 0
      && job.template[0].parallelism == 1
    ])
    error_message = "Jobs run the worker's image, one task, and once."
  }

  # The clock is Berlin's.
  assert {
    condition = { for name, job in google_cloud_scheduler_job.job : name => [job.schedule, job.time_zone] } == {
      daily  = ["0 7 * * *", "Europe/Berlin"]
      sweep  = ["*/5 * * * *", "Europe/Berlin"]
      import = ["30 6 * * *", "Europe/Berlin"]
    }
    error_message = "The check is at 07:00, after the import, and the sweep every five minutes."
  }
  assert {
    condition = alltrue([
      for name, job in google_cloud_scheduler_job.job :
      job.http_target[0].uri == "https://run.googleapis.com/v2/projects/test-project/locations/europe-west1/jobs/athlete-${name}:run"
      && job.http_target[0].oauth_token[0].service_account_email == google_service_account.program["scheduler"].email
    ])
    error_message = "The scheduler starts the jobs in its own name."
  }

  # Everybody is told.
  assert {
    condition = keys(google_monitoring_alert_policy.threshold) == [
      "dashboard_5xx", "dead_letters", "job_failed", "oldest_unacked", "service_5xx", "webhook_latency", "worker_5xx",
    ] && keys(google_monitoring_alert_policy.logged) == ["app_inactive", "not_complete"]
    error_message = "There is one alert for each thing that a person has to know."
  }
  assert {
    condition = alltrue([
      for policy in concat(
        values(google_monitoring_alert_policy.threshold),
        values(google_monitoring_alert_policy.logged),
        [google_monitoring_alert_policy.no_reconcile],
      ) :
      length(policy.notification_channels) == 2 && length(policy.documentation[0].content) > 40
    ])
    error_message = "Every alert goes to all addresses and says what to do."
  }
  assert {
    condition = alltrue([
      for name, limit in { dead_letters = 0, oldest_unacked = 600, webhook_latency = 1500, service_5xx = 0, job_failed = 0 } :
      google_monitoring_alert_policy.threshold[name].conditions[0].condition_threshold[0].threshold_value == limit
    ])
    error_message = "The limits are those that the runbook names."
  }
  assert {
    condition = alltrue([
      strcontains(google_monitoring_alert_policy.threshold["dead_letters"].conditions[0].condition_threshold[0].filter, "\"strava-events-dead-kept\""),
      strcontains(google_monitoring_alert_policy.threshold["oldest_unacked"].conditions[0].condition_threshold[0].filter, "\"strava-events-worker\""),
      strcontains(google_monitoring_alert_policy.threshold["service_5xx"].conditions[0].condition_threshold[0].filter, "\"athlete-service\""),
      strcontains(google_monitoring_alert_policy.threshold["webhook_latency"].conditions[0].condition_threshold[0].filter, "\"athlete-service\""),
      strcontains(google_monitoring_alert_policy.threshold["worker_5xx"].conditions[0].condition_threshold[0].filter, "\"athlete-worker\""),
    ])
    error_message = "Each alert looks at the resource that its title names."
  }
  assert {
    condition = alltrue([
      for policy in google_monitoring_alert_policy.threshold :
      strcontains(policy.conditions[0].condition_threshold[0].filter, "resource.type=")
      && !strcontains(policy.conditions[0].condition_threshold[0].filter, "logging.googleapis.com/user/")
    ])
    error_message = "Cloud Monitoring takes no threshold without a resource's type, and knows no metric of a log in its first minutes."
  }
  assert {
    condition = google_monitoring_alert_policy.logged["app_inactive"].conditions[0].condition_matched_log[0].filter == (
      "resource.type=(\"cloud_run_revision\" OR \"cloud_run_job\") AND jsonPayload.event=\"app.inactive\""
    )
    error_message = "A lapse is told by whichever program meets it."
  }
  assert {
    condition = (
      strcontains(google_monitoring_alert_policy.no_reconcile.conditions[0].condition_prometheus_query_language[0].query, "[24h]")
      && google_monitoring_alert_policy.no_reconcile.conditions[0].condition_prometheus_query_language[0].duration == "7200s"
    )
    error_message = "24 hours without a check, for 2 hours more, are 26."
  }
  assert {
    condition     = length(jsondecode(google_monitoring_dashboard.pipeline.dashboard_json).gridLayout.widgets) == 8 + length(google_logging_metric.event)
    error_message = "The dashboard has a chart for each series and each log event."
  }
  assert {
    condition = alltrue([
      for widget in jsondecode(google_monitoring_dashboard.pipeline.dashboard_json).gridLayout.widgets :
      strcontains(widget.xyChart.dataSets[0].timeSeriesQuery.timeSeriesFilter.filter, "metric.type=")
    ])
    error_message = "Every chart names its metric."
  }
  assert {
    condition = (
      google_billing_budget.monthly.budget_filter[0].projects == toset(["projects/123456789012"])
      && google_billing_budget.monthly.amount[0].specified_amount[0].units == "20"
      && length(google_billing_budget.monthly.all_updates_rule[0].monitoring_notification_channels) == 2
    )
    error_message = "The budget watches this project, and its messages go to the same addresses."
  }
}

run "an_alert_needs_a_reader" {
  command = plan

  variables {
    alert_emails = []
  }

  expect_failures = [var.alert_emails]
}

run "the_service_is_told_its_own_address" {
  command = plan

  variables {
    public_url = "https://my.example.org"
  }

  assert {
    condition = one([
      for env in google_cloud_run_v2_service.service.template[0].containers[0].env : env.value if env.name == "PUBLIC_URL"
    ]) == "https://my.example.org"
    error_message = "A domain of one's own takes the place of Cloud Run's."
  }
  assert {
    condition     = strcontains(output.next_steps, "curl https://my.example.org/health") && output.dashboard_url == "https://athlete-dashboard-123456789012.europe-west1.run.app"
    error_message = "The outputs name the addresses to go on with."
  }
}

run "settings_reach_the_worker_and_the_jobs" {
  command = plan

  variables {
    settings = { STREAMS = "all", TRANSFORM_INTERVAL_S = "900" }
  }

  assert {
    condition = alltrue([
      for envs in concat(
        [google_cloud_run_v2_service.worker.template[0].containers[0].env],
        [for job in google_cloud_run_v2_job.job : job.template[0].template[0].containers[0].env],
      ) :
      [for env in envs : env.value if contains(["STREAMS", "TRANSFORM_INTERVAL_S"], env.name)] == ["all", "900"]
    ])
    error_message = "Each of them is told, for they agree by it when the marts are built and what is fetched."
  }
  assert {
    condition = length([
      for env in google_cloud_run_v2_service.service.template[0].containers[0].env : env if env.name == "STREAMS"
    ]) == 0
    error_message = "The service has no use for them."
  }
}

run "a_setting_is_one_that_is_read" {
  command = plan

  variables {
    settings = { TRANSFORM_INTERVALS = "900" }
  }

  expect_failures = [var.settings]
}

run "a_setting_takes_the_place_of_no_variable" {
  command = plan

  variables {
    settings = { GOOGLE_CLOUD_REGION = "us-east1" }
  }

  expect_failures = [var.settings]
}
