# What builds and deploys from a repository, if one is named. The builder reads and plans, and may change nothing but
# images; the deployer applies a plan that a person has approved.
locals {
  builds = var.repository == null ? 0 : 1
  builders = var.repository == null ? {} : {
    build  = "Checks and builds each commit of the branch, and plans its deployment."
    deploy = "Applies a plan, once a person has approved it."
  }

  repository_url = var.repository == null ? "" : "https://github.com/${var.repository.owner}/${var.repository.name}"
  repository_ref = var.repository == null ? "" : "refs/heads/${var.repository.branch}"

  build_roles = var.repository == null ? {} : {
    build = [ # a plan reads all that is there, and who may do what
      "roles/artifactregistry.reader",
      "roles/bigquery.metadataViewer",
      "roles/browser",
      "roles/cloudbuild.builds.editor", # to ask for the deployment
      "roles/cloudscheduler.viewer",
      "roles/iam.roleViewer",
      "roles/iam.securityReviewer",
      "roles/iam.serviceAccountViewer",
      "roles/logging.logWriter",
      "roles/logging.viewer",
      "roles/monitoring.viewer",
      "roles/pubsub.viewer",
      "roles/run.viewer",
      "roles/secretmanager.viewer",
      "roles/serviceusage.serviceUsageViewer",
      "roles/storage.bucketViewer",
    ]
    deploy = [
      "roles/artifactregistry.admin",
      "roles/bigquery.admin",
      "roles/cloudbuild.builds.editor",
      "roles/cloudscheduler.admin",
      "roles/iam.roleAdmin",
      "roles/iam.serviceAccountAdmin",
      "roles/iam.serviceAccountUser",
      "roles/iap.admin",
      "roles/logging.admin",
      "roles/monitoring.admin",
      "roles/pubsub.admin",
      "roles/resourcemanager.projectIamAdmin",
      "roles/run.admin",
      "roles/secretmanager.admin",
      "roles/serviceusage.serviceUsageAdmin",
      "roles/storage.admin",
    ]
  }
  build_grants = merge([
    for name, roles in local.build_roles : { for role in roles : "${name}/${role}" => { name = name, role = role } }
  ]...)
}

resource "google_service_account" "builder" {
  for_each = local.builders

  account_id   = "athlete-${each.key}"
  display_name = "Athlete Dashboard: ${each.key}"
  description  = each.value

  depends_on = [google_project_service.api]
}

resource "google_project_iam_member" "builder" {
  for_each = local.build_grants

  project = var.project_id
  role    = each.value.role
  member  = google_service_account.builder[each.value.name].member
}

resource "google_billing_account_iam_member" "builder" {
  for_each = var.repository == null ? {} : { build = "roles/billing.viewer", deploy = "roles/billing.costsManager" }

  billing_account_id = var.billing_account
  role               = each.value
  member             = google_service_account.builder[each.key].member
}

resource "google_artifact_registry_repository_iam_member" "builder" {
  count = local.builds

  repository = google_artifact_registry_repository.images.name
  location   = var.region
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.builder["build"].member
}

# The state's bucket is made by a person before Terraform has a state, and so is the secret with the variables.
resource "google_storage_bucket_iam_member" "state" {
  for_each = local.builders

  bucket = "${var.project_id}-terraform"
  role   = "roles/storage.objectAdmin"
  member = google_service_account.builder[each.key].member
}

resource "google_secret_manager_secret_iam_member" "variables" {
  count = local.builds

  secret_id = "terraform-tfvars"
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.builder["build"].member
}

# To start a build in another account's name is to act as that account.
resource "google_service_account_iam_member" "asks" {
  count = local.builds

  service_account_id = google_service_account.builder["deploy"].name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.builder["build"].member
}

resource "google_cloudbuild_trigger" "build" {
  count = local.builds

  name            = "athlete-build"
  location        = var.region
  description     = local.builders.build
  service_account = google_service_account.builder["build"].id
  filename        = "infra/cloudbuild.yaml"
  substitutions   = { _REGION = var.region }

  github {
    owner = var.repository.owner
    name  = var.repository.name

    push {
      branch = "^${var.repository.branch}$"
    }
  }
}

resource "google_cloudbuild_trigger" "deploy" {
  count = local.builds

  name            = "athlete-deploy"
  location        = var.region
  description     = local.builders.deploy
  service_account = google_service_account.builder["deploy"].id
  substitutions   = { _REGION = var.region, _DATASET_LOCATION = var.dataset_location }

  approval_config {
    approval_required = true
  }

  source_to_build {
    uri       = local.repository_url
    ref       = local.repository_ref
    repo_type = "GITHUB"
  }

  git_file_source {
    path      = "infra/cloudbuild.deploy.yaml"
    uri       = local.repository_url
    revision  = local.repository_ref
    repo_type = "GITHUB"
  }
}

# The documentation of the models, for those who see the dashboard.
resource "google_storage_bucket" "models" {
  count = local.builds

  name                        = "${var.project_id}-models"
  location                    = var.dataset_location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  depends_on = [google_project_service.api]
}

resource "google_storage_bucket_iam_member" "viewer" {
  for_each = var.repository == null ? {} : var.viewers

  bucket = google_storage_bucket.models[0].name
  role   = "roles/storage.objectViewer"
  member = "user:${each.key}"
}
