# What each program may do, and nothing more. The lists are complete: a right that is added has to be added here.
mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project_id       = "test-project"
  billing_account  = "012345-6789AB-CDEF01"
  image_tag        = "1.2.3"
  strava_client_id = "42"
  alert_emails     = ["me@example.org"]

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

run "rights" {
  command = plan

  # Every program has an account of its own.
  assert {
    condition = toset([for account in google_service_account.program : account.account_id]) == toset([
      "athlete-service", "athlete-worker", "athlete-daily", "athlete-sweep", "athlete-backfill", "athlete-transform",
      "athlete-import", "athlete-dashboard", "athlete-push", "athlete-scheduler",
    ])
    error_message = "One account per program, per pusher and per scheduler."
  }
  assert {
    condition = [
      google_cloud_run_v2_service.service.template[0].service_account,
      google_cloud_run_v2_service.worker.template[0].service_account,
      google_cloud_run_v2_service.dashboard.template[0].service_account,
      ] == [
      google_service_account.program["service"].email,
      google_service_account.program["worker"].email,
      google_service_account.program["dashboard"].email,
    ]
    error_message = "Each service runs as its own account."
  }
  assert {
    condition = alltrue([
      for name, job in google_cloud_run_v2_job.job : job.template[0].template[0].service_account == google_service_account.program[name].email
    ])
    error_message = "Each job runs as its own account."
  }

  # The topic has two publishers.
  assert {
    condition = [for member in google_pubsub_topic_iam_member.publisher : [member.role, member.member]] == [
      ["roles/pubsub.publisher", google_service_account.program["service"].member],
      ["roles/pubsub.publisher", google_service_account.program["sweep"].member],
    ]
    error_message = "The service and the sweep publish, and nobody else."
  }

  # Datasets are open to whom they serve.
  assert {
    condition = { for key, member in google_bigquery_dataset_access.program : key => member.role } == {
      "raw/worker"        = "WRITER"
      "raw/daily"         = "WRITER"
      "raw/sweep"         = "WRITER"
      "raw/backfill"      = "WRITER"
      "raw/transform"     = "WRITER"
      "raw/import"        = "WRITER"
      "staging/transform" = "WRITER"
      "mart/transform"    = "WRITER"
      "mart/dashboard"    = "READER"
    }
    error_message = "The dashboard reads mart alone, only the transform writes it, and the service reaches no dataset."
  }
  assert {
    condition = alltrue([
      for key, member in google_bigquery_dataset_access.program :
      member.dataset_id == split("/", key)[0] && member.user_by_email == google_service_account.program[split("/", key)[1]].email
    ])
    error_message = "Each right is of the program and on the dataset that its key names."
  }
  assert {
    condition = (
      google_bigquery_dataset_access.mart_views.dataset_id == "staging"
      && google_bigquery_dataset_access.mart_views.dataset[0].dataset[0].dataset_id == "mart"
      && google_bigquery_dataset_access.mart_views.dataset[0].target_types == tolist(["VIEWS"])
    )
    error_message = "Views of mart may read staging, so that the dashboard needs no right there."
  }
  assert {
    condition     = alltrue([for dataset in google_bigquery_dataset.warehouse : dataset.location == "EU" && dataset.delete_contents_on_destroy == false])
    error_message = "All datasets are in one place, and no teardown deletes rows."
  }
  assert {
    condition     = alltrue([for dataset in google_bigquery_dataset.warehouse : dataset.max_time_travel_hours == "48"])
    error_message = "What a purge removes is gone from time travel as soon as BigQuery lets it."
  }

  # Files lie where one program alone reaches them.
  assert {
    condition = (
      [google_storage_bucket_iam_member.inbox.bucket, google_storage_bucket_iam_member.inbox.role, google_storage_bucket_iam_member.inbox.member]
      == ["test-project-inbox", "roles/storage.objectUser", google_service_account.program["import"].member]
    )
    error_message = "The import reads, moves and removes files of its bucket, and has no right on the bucket itself."
  }
  assert {
    condition = (
      google_storage_bucket.inbox.uniform_bucket_level_access
      && google_storage_bucket.inbox.public_access_prevention == "enforced"
      && google_storage_bucket.inbox.force_destroy == false
      && google_storage_bucket.inbox.soft_delete_policy[0].retention_duration_seconds == 0
    )
    error_message = "No file is public, none goes with a teardown by mistake, and what is deleted is gone."
  }
  assert {
    condition = {
      for env in google_cloud_run_v2_job.job["import"].template[0].template[0].containers[0].env : env.name => env.value
      if contains(["INBOX_BUCKET", "DISPLAY_TIMEZONE", "STRAVA_CLIENT_ID", "TOKEN_SECRET_PREFIX"], env.name)
      } == {
      DISPLAY_TIMEZONE = "Europe/Berlin"
      INBOX_BUCKET     = "test-project-inbox/inbox"
    }
    error_message = "The import is told of its folder, and of nothing that asks Strava."
  }

  # The project grants little.
  assert {
    condition     = keys(google_project_iam_member.runs_queries) == ["backfill", "daily", "dashboard", "import", "sweep", "transform", "worker"]
    error_message = "Who has a dataset may run queries, and nobody else."
  }
  assert {
    condition     = alltrue([for member in google_project_iam_member.runs_queries : member.role == "roles/bigquery.jobUser"])
    error_message = "Running a query opens no table."
  }
  assert {
    condition = (
      keys(google_project_iam_member.token_keeper) == ["backfill", "daily", "sweep", "worker"]
      && keys(google_project_iam_member.token_directory) == ["backfill", "daily", "sweep", "worker"]
    )
    error_message = "Those who ask Strava keep tokens, and nobody else."
  }
  assert {
    condition = alltrue([
      for name, member in google_project_iam_member.token_keeper :
      member.member == google_service_account.program[name].member
      && member.role == google_project_iam_custom_role.token_keeper.name
      && member.condition[0].expression == "resource.name.startsWith(\"projects/123456789012/secrets/athlete-tokens-\")"
    ])
    error_message = "Tokens may be read in secrets of their prefix alone."
  }
  assert {
    condition = one([
      for env in google_cloud_run_v2_service.worker.template[0].containers[0].env : env.value if env.name == "TOKEN_SECRET_PREFIX"
    ]) == "athlete-tokens"
    error_message = "The worker uses the prefix to which its right is bound."
  }
  assert {
    condition = (
      google_project_iam_custom_role.token_directory.permissions == toset(["secretmanager.secrets.create", "secretmanager.secrets.list"])
      && !contains(google_project_iam_custom_role.token_keeper.permissions, "secretmanager.secrets.setIamPolicy")
    )
    error_message = "The right without a condition shows no value, and no program hands rights on."
  }

  # Secrets have readers and no values.
  assert {
    condition = {
      for key, member in google_secret_manager_secret_iam_member.reader :
      key => member.role if member.member == google_service_account.program[split("/", key)[1]].member
      } == {
      "webhook-path-secret/service"   = "roles/secretmanager.secretAccessor"
      "strava-verify-token/service"   = "roles/secretmanager.secretAccessor"
      "strava-client-secret/worker"   = "roles/secretmanager.secretAccessor"
      "strava-client-secret/daily"    = "roles/secretmanager.secretAccessor"
      "strava-client-secret/sweep"    = "roles/secretmanager.secretAccessor"
      "strava-client-secret/backfill" = "roles/secretmanager.secretAccessor"
    }
    error_message = "Each secret is read by the programs that need it."
  }
  assert {
    condition = alltrue(flatten([
      for container in concat(
        [google_cloud_run_v2_service.service.template[0].containers[0], google_cloud_run_v2_service.worker.template[0].containers[0]],
        [for job in google_cloud_run_v2_job.job : job.template[0].template[0].containers[0]],
        ) : [
        for env in container.env :
        contains(["WEBHOOK_PATH_SECRET", "STRAVA_VERIFY_TOKEN", "STRAVA_CLIENT_SECRET"], env.name) == (length(env.value_source) == 1)
      ]
    ]))
    error_message = "Secrets come from Secret Manager when a program starts, and nothing else does."
  }
  assert {
    condition = {
      for env in google_cloud_run_v2_service.service.template[0].containers[0].env :
      env.name => env.value_source[0].secret_key_ref[0].secret if length(env.value_source) == 1
      } == {
      STRAVA_VERIFY_TOKEN = "strava-verify-token"
      WEBHOOK_PATH_SECRET = "webhook-path-secret"
    }
    error_message = "Each variable comes from the secret of its name."
  }
}
