# Log-based metrics: how often the programs write an event. A test compares names and fields with the code.
locals {
  log_metrics = {
    event_not_queued = {
      description = "An event that could not be published; Strava tries again, three times in all."
      written_by  = ["cloud_run_revision"]
      filter      = "jsonPayload.event=\"event.not_queued\""
    }
    event_fault = {
      description = "A delivery that failed by a fault of the worker; it is tried again."
      written_by  = ["cloud_run_revision"]
      filter      = "jsonPayload.event=\"event.fault\""
    }
    push_refused = {
      description = "Requests to the worker that no token of the push account came with; many are one line."
      written_by  = ["cloud_run_revision"]
      filter      = "jsonPayload.event=\"push.refused\""
    }
    app_inactive = {
      description = "Strava answers nobody through this app any more. The worker finds out, or the sweep."
      written_by  = ["cloud_run_revision", "cloud_run_job"]
      filter      = "jsonPayload.event=\"app.inactive\""
    }
    token_rejected = {
      description = "Strava rejects an athlete's tokens; they have to connect again. The worker finds out, or the daily job."
      written_by  = ["cloud_run_revision", "cloud_run_job"]
      filter      = "jsonPayload.event=\"athlete.token_rejected\""
    }
    reconciled = {
      description = "A daily check that read an athlete's list to its end."
      written_by  = ["cloud_run_job"]
      filter      = "jsonPayload.event=\"daily.finished\" AND (jsonPayload.complete>0 OR jsonPayload.incomplete>0 OR jsonPayload.guarded>0)"
    }
    not_complete = {
      description = "A daily check with another verdict than complete."
      written_by  = ["cloud_run_job"]
      filter      = "jsonPayload.event=\"daily.finished\" AND (jsonPayload.incomplete>0 OR jsonPayload.guarded>0 OR jsonPayload.cut_short>0)"
    }
    transform_failed = {
      description = "A dbt run that failed; the marts stay as they were."
      written_by  = ["cloud_run_job"]
      filter      = "jsonPayload.event=\"transform.failed\""
    }
  }

  # Which lines they are, in the language of Cloud Logging.
  log_lines = {
    for name, told in local.log_metrics :
    name => "resource.type=(${join(" OR ", formatlist("\"%s\"", told.written_by))}) AND ${told.filter}"
  }
}

resource "google_logging_metric" "event" {
  for_each = local.log_metrics

  name        = "athlete_${each.key}"
  description = each.value.description
  filter      = local.log_lines[each.key]

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
  }

  depends_on = [google_project_service.api]
}
