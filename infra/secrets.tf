# Terraform makes the secrets; people add the values, which are never in its state:
#   printf %s VALUE | gcloud secrets versions add NAME --data-file=-
locals {
  token_secret_prefix = "athlete-tokens"

  # Which programs read which secret, and under which name.
  secrets = {
    webhook-path-secret  = { environment = "WEBHOOK_PATH_SECRET", readers = ["service"] }
    strava-verify-token  = { environment = "STRAVA_VERIFY_TOKEN", readers = ["service"] }
    strava-client-secret = { environment = "STRAVA_CLIENT_SECRET", readers = ["worker", "daily", "sweep", "backfill"] }
  }

  secret_readers = merge([
    for secret, told in local.secrets : {
      for program in told.readers : "${secret}/${program}" => { secret = secret, program = program }
    }
  ]...)

  # Environment variable → secret, for each program.
  secret_environment = {
    for program in keys(local.programs) : program => {
      for secret, told in local.secrets :
      told.environment => google_secret_manager_secret.program[secret].secret_id if contains(told.readers, program)
    }
  }

  # Who keeps the athletes' tokens. The programs make those secrets themselves, one per athlete.
  token_keepers = toset(["worker", "daily", "sweep", "backfill"])
}

resource "google_secret_manager_secret" "program" {
  for_each = local.secrets

  secret_id = each.key

  replication {
    auto {}
  }

  depends_on = [google_project_service.api]
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = local.secret_readers

  secret_id = google_secret_manager_secret.program[each.value.secret].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.program[each.value.program].member
}

# Making and listing secrets is a right on the project, so it cannot be bound to their names. It shows no value.
resource "google_project_iam_custom_role" "token_directory" {
  role_id     = "athleteTokenDirectory"
  title       = "Athlete Dashboard: make and list secrets"
  permissions = ["secretmanager.secrets.create", "secretmanager.secrets.list"]

  depends_on = [google_project_service.api]
}

resource "google_project_iam_member" "token_directory" {
  for_each = local.token_keepers

  project = var.project_id
  role    = google_project_iam_custom_role.token_directory.name
  member  = google_service_account.program[each.key].member
}

resource "google_project_iam_custom_role" "token_keeper" {
  role_id = "athleteTokenKeeper"
  title   = "Athlete Dashboard: keep tokens"
  permissions = [
    "secretmanager.secrets.delete",
    "secretmanager.secrets.get",
    "secretmanager.secrets.update",
    "secretmanager.versions.access",
    "secretmanager.versions.add",
    "secretmanager.versions.destroy",
    "secretmanager.versions.get",
    "secretmanager.versions.list",
  ]

  depends_on = [google_project_service.api]
}

# Bound to the names of token secrets: the three secrets above are out of reach.
resource "google_project_iam_member" "token_keeper" {
  for_each = local.token_keepers

  project = var.project_id
  role    = google_project_iam_custom_role.token_keeper.name
  member  = google_service_account.program[each.key].member

  condition {
    title      = "token secrets only"
    expression = "resource.name.startsWith(\"projects/${data.google_project.this.number}/secrets/${local.token_secret_prefix}-\")"
  }
}
