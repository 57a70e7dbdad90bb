# What builds and deploys from a repository, if one is named. The builder reads, and may add images, plans and documents
# and nothing else, for what a commit brings with it runs in its name. The deployer applies a plan that a person has
# approved, and runs nothing that was built.
locals {
  builds = var.repository == null ? 0 : 1
  builders = var.repository == null ? {} : {
    build  = "Plans the deployment of each commit of the branch, checks it and builds it."
    deploy = "Applies a commit's plan, once a person has approved it."
  }

  build_roles = var.repository == null ? {} : {
    build = [ # a plan reads all that is there, and who may do what
      "roles/artifactregistry.reader",
      "roles/bigquery.metadataViewer",
      "roles/browser",
      "roles/cloudbuild.builds.viewer",
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
  for_each = var.repository == null ? {} : { build = "roles/storage.objectViewer", deploy = "roles/storage.objectAdmin" }

  bucket = "${var.project_id}-terraform"
  role   = each.value
  member = google_service_account.builder[each.key].member
}

# Who may create and not delete cannot put another plan in the place of one that a person has read.
resource "google_storage_bucket" "plans" {
  count = local.builds

  name                        = "${var.project_id}-plans"
  location                    = var.dataset_location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  lifecycle_rule {
    condition {
      age = 62 # days; a build that waits for longer cannot be approved any more
    }
    action {
      type = "Delete"
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_storage_bucket_iam_member" "plans" {
  for_each = var.repository == null ? [] : toset(["roles/storage.objectCreator", "roles/storage.objectViewer"])

  bucket = google_storage_bucket.plans[0].name
  role   = each.key
  member = google_service_account.builder["build"].member
}

resource "google_secret_manager_secret_iam_member" "variables" {
  count = local.builds

  secret_id = "terraform-tfvars"
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.builder["build"].member
}

resource "google_cloudbuild_trigger" "build" {
  count = local.builds

  name            = "athlete-build"
  location        = var.region
  description     = local.builders.build
  service_account = google_service_account.builder["build"].id
  filename        = "infra/cloudbuild.yaml"
  substitutions   = { _BASE = var.base_image, _REGION = var.region }

  github {
    owner = var.repository.owner
    name  = var.repository.name

    push {
      branch = "^${var.repository.branch}$"
    }
  }
}

# The same push starts it, so nobody has to be allowed to; until it is approved it waits.
resource "google_cloudbuild_trigger" "deploy" {
  count = local.builds

  name            = "athlete-deploy"
  location        = var.region
  description     = local.builders.deploy
  service_account = google_service_account.builder["deploy"].id
  filename        = "infra/cloudbuild.deploy.yaml"
  substitutions   = { _REGION = var.region }

  approval_config {
    approval_required = true
  }

  github {
    owner = var.repository.owner
    name  = var.repository.name

    push {
      branch = "^${var.repository.branch}$"
    }
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
