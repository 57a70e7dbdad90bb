# What builds and deploys from a repository: who may do what, and that nothing is deployed without a person's word.
mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project_id       = "test-project"
  billing_account  = "012345-6789AB-CDEF01"
  image_tag        = "1.2.3"
  strava_client_id = "42"
  alert_emails     = ["me@example.org"]
  viewers          = { "me@example.org" = [7001] }

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

run "no_repository_no_builds" {
  command = plan

  assert {
    condition = (
      length(google_cloudbuild_trigger.build) + length(google_cloudbuild_trigger.deploy) == 0
      && length(google_service_account.builder) + length(google_project_iam_member.builder) == 0
      && length(google_storage_bucket.models) + length(google_storage_bucket_iam_member.state) == 0
      && length(google_storage_bucket.plans) + length(google_storage_bucket_iam_member.plans) == 0
    )
    error_message = "Without a repository there is no account that may deploy."
  }
}

run "builds" {
  command = plan

  variables {
    base_image = "mirror.gcr.io/library/python:3.11-slim-bookworm@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    repository = { owner = "me", name = "athlete-dashboard" }
  }

  assert {
    condition = (
      google_cloudbuild_trigger.build[0].filename == "infra/cloudbuild.yaml"
      && google_cloudbuild_trigger.build[0].github[0].push[0].branch == "^main$"
      && length(google_cloudbuild_trigger.build[0].approval_config) == 0
    )
    error_message = "Each commit of the branch is built."
  }
  assert {
    condition     = google_cloudbuild_trigger.build[0].substitutions == tomap({ _BASE = var.base_image, _REGION = var.region })
    error_message = "Images are built on the base that the variable names."
  }
  assert {
    condition = (
      google_cloudbuild_trigger.deploy[0].filename == "infra/cloudbuild.deploy.yaml"
      && google_cloudbuild_trigger.deploy[0].github[0].push[0].branch == "^main$"
      && google_cloudbuild_trigger.deploy[0].approval_config[0].approval_required
      && google_cloudbuild_trigger.deploy[0].service_account != google_cloudbuild_trigger.build[0].service_account
    )
    error_message = "The same push starts the deployment, which waits for approval."
  }

  # Code of the commit and of its packages runs as the builder: no role of it may start or approve a build, act as an
  # account, or change what is there.
  assert {
    condition = alltrue([
      for role in local.build_roles.build :
      endswith(role, "iewer") || endswith(role, ".reader") || contains(["roles/browser", "roles/iam.securityReviewer", "roles/logging.logWriter"], role)
    ])
    error_message = "Who builds and plans may read, and writes its log."
  }
  assert {
    condition = { for name, member in google_storage_bucket_iam_member.state : name => [member.role, member.member] } == {
      build  = ["roles/storage.objectViewer", google_service_account.builder["build"].member]
      deploy = ["roles/storage.objectAdmin", google_service_account.builder["deploy"].member]
    }
    error_message = "Who plans reads the state."
  }
  assert {
    condition = toset([for member in google_storage_bucket_iam_member.plans : member.role]) == toset([
      "roles/storage.objectCreator", "roles/storage.objectViewer",
    ])
    error_message = "A plan that was read cannot be replaced."
  }
  assert {
    condition = alltrue([
      for key, member in google_project_iam_member.builder :
      member.member == google_service_account.builder[split("/", key)[0]].member
    ])
    error_message = "Each role is granted to the account that its key names."
  }
  assert {
    condition = (
      google_storage_bucket.models[0].public_access_prevention == "enforced"
      && [for member in google_storage_bucket_iam_member.viewer : [member.role, member.member]] == [["roles/storage.objectViewer", "user:me@example.org"]]
    )
    error_message = "Viewers read the documentation, and nobody else."
  }
}

run "a_base_has_a_tag" {
  command = plan

  variables {
    base_image = "python"
  }

  expect_failures = [var.base_image]
}

run "a_digest_is_whole" {
  command = plan

  variables {
    base_image = "python:3.11-slim-bookworm@sha256:…"
  }

  expect_failures = [var.base_image]
}
