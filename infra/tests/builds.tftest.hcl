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
}

run "no_repository_no_builds" {
  command = plan

  assert {
    condition = (
      length(google_cloudbuild_trigger.build) + length(google_cloudbuild_trigger.deploy) == 0
      && length(google_service_account.builder) + length(google_project_iam_member.builder) == 0
      && length(google_storage_bucket.models) + length(google_storage_bucket_iam_member.state) == 0
    )
    error_message = "Without a repository there is no account that may deploy."
  }
}

run "builds" {
  command = plan

  variables {
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
    condition = (
      google_cloudbuild_trigger.deploy[0].git_file_source[0].path == "infra/cloudbuild.deploy.yaml"
      && google_cloudbuild_trigger.deploy[0].approval_config[0].approval_required
      && length(google_cloudbuild_trigger.deploy[0].github) == 0
    )
    error_message = "A deployment waits for approval, and no commit starts one."
  }
  assert {
    condition     = [for role in local.build_roles.build : role if endswith(role, "admin") || endswith(role, "Admin")] == []
    error_message = "Who builds plans, and changes nothing."
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
