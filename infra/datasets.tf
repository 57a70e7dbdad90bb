locals {
  datasets = {
    raw     = "What Strava said, and what became of each event. It cannot be rebuilt."
    staging = "Cleaned and joined by dbt; can be rebuilt from raw."
    mart    = "What the dashboard reads; can be rebuilt from raw."
  }

  dataset_access = {
    raw = {
      editors = ["worker", "daily", "sweep", "backfill", "transform"] # transform notes its runs there
      viewers = []
    }
    staging = { editors = ["transform"], viewers = [] }
    mart    = { editors = ["transform"], viewers = ["dashboard"] }
  }

  dataset_members = merge([
    for dataset, access in local.dataset_access : merge(
      { for program in access.editors : "${dataset}/${program}" => {
        dataset = dataset, program = program, role = "roles/bigquery.dataEditor"
      } },
      { for program in access.viewers : "${dataset}/${program}" => {
        dataset = dataset, program = program, role = "roles/bigquery.dataViewer"
      } },
    )
  ]...)
}

resource "google_bigquery_dataset" "warehouse" {
  for_each = local.datasets

  dataset_id  = each.key
  description = each.value
  location    = var.dataset_location

  max_time_travel_hours = "48" # the least there is: until then a purge's rows can be had by time travel

  delete_contents_on_destroy = false # a teardown stops here, so that nobody loses a history by mistake

  depends_on = [google_project_service.api]
}

resource "google_bigquery_dataset_iam_member" "program" {
  for_each = local.dataset_members

  dataset_id = google_bigquery_dataset.warehouse[each.value.dataset].dataset_id
  role       = each.value.role
  member     = google_service_account.program[each.value.program].member
}

# Running a query is a right on the project; which tables it may touch is decided above.
resource "google_project_iam_member" "runs_queries" {
  for_each = toset([for member in values(local.dataset_members) : member.program])

  project = var.project_id
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.program[each.key].member
}
