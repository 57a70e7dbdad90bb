# Who may call what, where pushes go, and what is kept. Mocked: it needs no account and no network.
mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project_id       = "test-project"
  billing_account  = "012345-6789AB-CDEF01"
  image_tag        = "1.2.3"
  strava_client_id = "42"
  alert_emails     = ["me@example.org"]
  viewers          = { "me@example.org" = [7001], "friend@example.org" = [7002, 7003] }

  # The defaults, stated because terraform.tfvars would give others.
  region                = "europe-west1"
  dataset_location      = "EU"
  base_image            = "python:3.11-slim-bookworm"
  repository            = null
  public_url            = null
  monthly_budget        = 20
  display_timezone      = "Europe/Berlin"
  log_level             = "INFO"
  service_min_instances = 1
  maximum_bytes_billed  = 10737418240
  settings              = {}
}

run "wiring" {
  command = plan

  # Only the service is public.
  assert {
    condition = [
      google_cloud_run_v2_service_iam_member.public.name, google_cloud_run_v2_service_iam_member.public.member,
    ] == ["athlete-service", "allUsers"]
    error_message = "All users may call the service, and the service alone."
  }
  assert {
    condition = [
      google_cloud_run_v2_service_iam_member.push.name, google_cloud_run_v2_service_iam_member.push.member,
    ] == ["athlete-worker", google_service_account.program["push"].member]
    error_message = "The push account alone may call the worker."
  }
  assert {
    condition     = google_cloud_run_v2_service.worker.ingress == "INGRESS_TRAFFIC_INTERNAL_ONLY"
    error_message = "The worker cannot be reached from the internet."
  }
  assert {
    condition = [
      google_cloud_run_v2_service_iam_member.iap.name, google_cloud_run_v2_service_iam_member.iap.member,
    ] == ["athlete-dashboard", "serviceAccount:service-123456789012@gcp-sa-iap.iam.gserviceaccount.com"]
    error_message = "IAP alone may call the dashboard."
  }
  assert {
    condition = { for key, starter in google_cloud_run_v2_job_iam_member.starter : key => [starter.name, starter.member] } == {
      "daily/scheduler"    = ["athlete-daily", google_service_account.program["scheduler"].member]
      "sweep/scheduler"    = ["athlete-sweep", google_service_account.program["scheduler"].member]
      "import/scheduler"   = ["athlete-import", google_service_account.program["scheduler"].member]
      "transform/worker"   = ["athlete-transform", google_service_account.program["worker"].member]
      "transform/daily"    = ["athlete-transform", google_service_account.program["daily"].member]
      "transform/sweep"    = ["athlete-transform", google_service_account.program["sweep"].member]
      "transform/backfill" = ["athlete-transform", google_service_account.program["backfill"].member]
      "transform/import"   = ["athlete-transform", google_service_account.program["import"].member]
      "backfill/sweep"     = ["athlete-backfill", google_service_account.program["sweep"].member]
    }
    error_message = "The scheduler starts two jobs; who brings fresh data starts the transform, and the sweep what is due."
  }
  assert {
    condition = alltrue(concat(
      [for member in google_cloud_run_v2_job_iam_member.starter : member.role == "roles/run.invoker"],
      [
        google_cloud_run_v2_service_iam_member.public.role == "roles/run.invoker",
        google_cloud_run_v2_service_iam_member.push.role == "roles/run.invoker",
        google_cloud_run_v2_service_iam_member.iap.role == "roles/run.invoker",
      ],
    ))
    error_message = "Callers may call, and change nothing."
  }

  # Viewers pass iap.
  assert {
    condition = toset([for viewer in google_iap_web_cloud_run_service_iam_member.viewer : viewer.member]) == toset([
      "user:me@example.org", "user:friend@example.org",
    ])
    error_message = "IAP lets in who is listed, and nobody else."
  }
  assert {
    condition = jsondecode(one([
      for env in google_cloud_run_v2_service.dashboard.template[0].containers[0].env : env.value if env.name == "DASHBOARD_VIEWERS"
    ])) == { "friend@example.org" = [7002, 7003], "me@example.org" = [7001] }
    error_message = "The dashboard is told whom each viewer may see."
  }

  # Pushes reach the worker.
  assert {
    condition     = google_pubsub_subscription.worker.push_config[0].push_endpoint == "https://athlete-worker-123456789012.europe-west1.run.app/push"
    error_message = "Events are pushed to the worker's /push."
  }
  assert {
    condition     = google_pubsub_subscription.dead_letters_worker.push_config[0].push_endpoint == "https://athlete-worker-123456789012.europe-west1.run.app/dead-letter"
    error_message = "Dead letters are pushed to the worker's /dead-letter."
  }
  assert {
    condition = alltrue([
      for subscription in [google_pubsub_subscription.worker, google_pubsub_subscription.dead_letters_worker] :
      subscription.push_config[0].oidc_token[0].service_account_email == google_service_account.program["push"].email
      && subscription.push_config[0].oidc_token[0].audience == one([
        for env in google_cloud_run_v2_service.worker.template[0].containers[0].env : env.value if env.name == "PUSH_AUDIENCE"
      ])
      && contains(google_cloud_run_v2_service.worker.custom_audiences, subscription.push_config[0].oidc_token[0].audience)
    ])
    error_message = "Pushes carry a token of the push account, for the audience that Cloud Run and the worker both ask for."
  }
  assert {
    condition = one([
      for env in google_cloud_run_v2_service.worker.template[0].containers[0].env : env.value if env.name == "PUSH_SERVICE_ACCOUNT"
    ]) == google_service_account.program["push"].email
    error_message = "The worker knows the account that pushes."
  }
  assert {
    condition = one([
      for env in google_cloud_run_v2_service.service.template[0].containers[0].env : env.value if env.name == "PUBSUB_TOPIC"
    ]) == google_pubsub_subscription.worker.topic
    error_message = "The service publishes to the topic that the worker's subscription is of."
  }
  assert {
    condition = [
      google_pubsub_subscription.worker.retry_policy[0].minimum_backoff,
      google_pubsub_subscription.worker.retry_policy[0].maximum_backoff,
      google_pubsub_subscription.worker.message_retention_duration,
      google_pubsub_subscription.worker.expiration_policy[0].ttl,
    ] == ["10s", "600s", "604800s", ""]
    error_message = "It is tried again after 10 to 600 s, kept for 7 days, and the subscription never expires."
  }
  assert {
    condition     = "${google_pubsub_subscription.worker.ack_deadline_seconds}s" == google_cloud_run_v2_service.worker.template[0].timeout
    error_message = "The worker has as long as Pub/Sub waits."
  }
  assert {
    condition = [
      google_service_account_iam_member.signs_pushes.service_account_id, google_service_account_iam_member.signs_pushes.member,
    ] == [google_service_account.program["push"].name, "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"]
    error_message = "Pub/Sub may sign for the push account, and for no other."
  }

  # Dead letters are kept.
  assert {
    condition = [
      google_pubsub_subscription.worker.dead_letter_policy[0].dead_letter_topic,
      tostring(google_pubsub_subscription.worker.dead_letter_policy[0].max_delivery_attempts),
    ] == [google_pubsub_topic.dead_letters.id, "100"]
    error_message = "What used up 100 attempts goes to the dead letters."
  }
  assert {
    condition = (
      google_pubsub_subscription.dead_letters_kept.topic == google_pubsub_topic.dead_letters.id
      && google_pubsub_subscription.dead_letters_kept.message_retention_duration == "2678400s"
      && google_pubsub_subscription.dead_letters_kept.expiration_policy[0].ttl == ""
      && length(google_pubsub_subscription.dead_letters_kept.push_config) == 0
    )
    error_message = "One subscription keeps dead letters for 31 days, and nothing takes them from it."
  }
  assert {
    condition = (
      google_pubsub_topic_iam_member.gives_up.member == local.service_agents.pubsub
      && google_pubsub_topic_iam_member.gives_up.role == "roles/pubsub.publisher"
      && google_pubsub_subscription_iam_member.gives_up.member == local.service_agents.pubsub
      && google_pubsub_subscription_iam_member.gives_up.role == "roles/pubsub.subscriber"
    )
    error_message = "Pub/Sub may move a message to the dead letters."
  }
}

run "nobody_listed_sees_nothing" {
  command = plan

  variables {
    viewers = {}
  }

  assert {
    condition     = length(google_iap_web_cloud_run_service_iam_member.viewer) == 0
    error_message = "Without viewers IAP lets nobody in."
  }
  assert {
    condition = one([
      for env in google_cloud_run_v2_service.dashboard.template[0].containers[0].env : env.value if env.name == "DASHBOARD_VIEWERS"
    ]) == "{}"
    error_message = "The dashboard is told that nobody may see anybody, which is not the same as being told nothing."
  }
}

run "an_upper_case_viewer_is_refused" {
  command = plan

  variables {
    viewers = { "Me@example.org" = [7001] }
  }

  expect_failures = [var.viewers]
}
