locals {
  datasets = {
    raw     = "What Strava said, and what became of each event. It cannot be rebuilt."
    staging = "Cleaned and joined by dbt; can be rebuilt from raw."
    mart    = "What the dashboard reads; can be rebuilt from raw."
  }

  dataset_access = {
    raw = {
      editors = ["worker", "daily", "sweep", "backfill", "transform", "import"] # transform notes its runs there
      viewers = []
    }
    staging = { editors = ["transform"], viewers = [] }
    mart    = { editors = ["transform"], viewers = ["dashboard"] }
  }

  dataset_members = merge([
    for dataset, access in local.dataset_access : merge(
      { for program in access.editors : "${dataset}/${program}" => {
        dataset = dataset, program = program, role = "WRITER"
      } },
      { for program in access.viewers : "${dataset}/${program}" => {
        dataset = dataset, program = program, role = "READER"
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

# Entries of the access lists, by BigQuery's own names of dataEditor and dataViewer: bindings of IAM would remove the entry below.
resource "google_bigquery_dataset_access" "program" {
  for_each = local.dataset_members

  dataset_id    = google_bigquery_dataset.warehouse[each.value.dataset].dataset_id
  role          = each.value.role
  user_by_email = google_service_account.program[each.value.program].email
}

# Some marts are views of staging: who may read the mart may read through them, and no other way.
resource "google_bigquery_dataset_access" "mart_views" {
  dataset_id = google_bigquery_dataset.warehouse["staging"].dataset_id

  dataset {
    target_types = ["VIEWS"]

    dataset {
      project_id = var.project_id
      dataset_id = google_bigquery_dataset.warehouse["mart"].dataset_id
    }
  }
}

# Running a query is a right on the project; which tables it may touch is decided above.
resource "google_project_iam_member" "runs_queries" {
  for_each = toset([for member in values(local.dataset_members) : member.program])

  project = var.project_id
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.program[each.key].member
}
