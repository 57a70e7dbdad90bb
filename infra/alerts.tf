# One policy per thing that a person has to know. Each says what it means and what to do next.
resource "google_monitoring_notification_channel" "email" {
  for_each = var.alert_emails

  display_name = "Athlete Dashboard: ${each.key}"
  type         = "email"
  labels       = { email_address = each.key }

  depends_on = [google_project_service.api]
}

locals {
  channels = [for channel in google_monitoring_notification_channel.email : channel.id]

  # Which series a condition looks at.
  requests_of = {
    for program, service in {
      service   = google_cloud_run_v2_service.service.name
      worker    = google_cloud_run_v2_service.worker.name
      dashboard = google_cloud_run_v2_service.dashboard.name
    } : program => "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${service}\" AND metric.type="
  }
  backlog_of = {
    for name, subscription in {
      worker       = google_pubsub_subscription.worker.name
      dead_letters = google_pubsub_subscription.dead_letters_kept.name
    } : name => "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${subscription}\" AND metric.type="
  }
  log_series = {
    for name, told in local.log_metrics :
    name => "resource.type=one_of(${join(",", formatlist("\"%s\"", told.written_by))}) AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.event[name].name}\""
  }

  alerts = {
    service_5xx = {
      title   = "The service answers with 5xx"
      filter  = "${local.requests_of.service}\"run.googleapis.com/request_count\" AND metric.labels.response_code_class=\"5xx\""
      aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", period_s = 300, above = 0, severity = "CRITICAL"
      text    = "Events of Strava are not taken. Strava sends each three times; what is lost then, the daily job finds. Look for `event.not_queued` in the log of athlete-service: its `reason` says whether Pub/Sub or a right is missing."
    }
    worker_5xx = {
      title   = "The worker fails by its own fault"
      filter  = "${local.requests_of.worker}\"run.googleapis.com/request_count\" AND metric.labels.response_code=\"500\""
      aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", period_s = 300, above = 0, severity = "ERROR"
      text    = "A delivery ended in a fault (503 and 429 are waits, and not counted). Pub/Sub tries it again. Look for `event.fault` in the log of athlete-worker."
    }
    dashboard_5xx = {
      title   = "The dashboard answers with 5xx"
      filter  = "${local.requests_of.dashboard}\"run.googleapis.com/request_count\" AND metric.labels.response_code_class=\"5xx\""
      aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", period_s = 300, above = 0, severity = "WARNING"
      text    = "Pages cannot be opened; no event is lost by it. Read the log of athlete-dashboard."
    }
    webhook_latency = {
      title   = "Strava waits too long for the webhook's answer"
      filter  = "${local.requests_of.service}\"run.googleapis.com/request_latencies\""
      aligner = "ALIGN_PERCENTILE_99", reducer = "REDUCE_MAX", period_s = 300, above = 1500, severity = "WARNING"
      text    = "One answer in a hundred takes longer than 1.5 s, and Strava gives up after 2 s. Check that `service_min_instances` is 1 or more, and Pub/Sub's status page."
    }
    job_failed = {
      title   = "A job failed"
      filter  = "resource.type=\"cloud_run_job\" AND metric.type=\"run.googleapis.com/job/completed_execution_count\" AND metric.labels.result=\"failed\""
      aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", period_s = 300, above = 0, severity = "ERROR"
      text    = "Its log ends with the reason. The daily job's exit codes: 3 differences are left, 4 an athlete could not be checked to the end, 5 a mass change waits for `athlete daily --confirm`, 6 the transform could not be started, 7 another one runs."
    }
    dead_letters = {
      title   = "An event used up its attempts"
      filter  = "${local.backlog_of.dead_letters}\"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      aligner = "ALIGN_MAX", reducer = "REDUCE_SUM", period_s = 300, above = 0, severity = "ERROR"
      text    = "`athlete events --dead` shows it and why; `athlete replay --dead` has it handled once more. Once all are settled, clear what is kept: `gcloud pubsub subscriptions seek ${google_pubsub_subscription.dead_letters_kept.name} --time=$(date -u +%Y-%m-%dT%H:%M:%SZ)`."
    }
    oldest_unacked = {
      title   = "An event waits for more than 10 minutes"
      filter  = "${local.backlog_of.worker}\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
      aligner = "ALIGN_MAX", reducer = "REDUCE_MAX", period_s = 60, above = 600, severity = "WARNING"
      text    = "The worker does not take it: it is down, refuses the pushes (`push.refused` in its log), or tries again and again (`event.retried`, or a `reason` beside the outcome)."
    }
  }

  # What a program says in its log at once: for minutes after its making, an alert on a log-based metric finds none.
  log_alerts = {
    not_complete = {
      title    = "The daily check is not complete"
      severity = "WARNING"
      text     = "Something is missing or left over, or a list was not read to its end. The Pipeline page names it. Most of it the next run repairs; a mass change waits for `athlete daily --confirm`."
    }
    app_inactive = {
      title    = "Strava has switched the app off"
      severity = "CRITICAL"
      text     = "Look at https://www.strava.com/settings/api and renew the app. What arrives meanwhile waits and is taken up by itself."
    }
  }
}

resource "google_monitoring_alert_policy" "threshold" {
  for_each = local.alerts

  display_name          = each.value.title
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.channels

  conditions {
    display_name = each.value.title

    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.above
      duration        = "0s"

      aggregations {
        alignment_period     = "${each.value.period_s}s"
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.reducer
      }
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }

  documentation {
    content   = each.value.text
    mime_type = "text/markdown"
  }
}

resource "google_monitoring_alert_policy" "logged" {
  for_each = local.log_alerts

  display_name          = each.value.title
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.channels

  conditions {
    display_name = each.value.title

    condition_matched_log {
      filter = local.log_lines[each.key]
    }
  }

  alert_strategy {
    auto_close = "86400s"

    notification_rate_limit {
      period = "3600s"
    }
  }

  documentation {
    content   = each.value.text
    mime_type = "text/markdown"
  }
}

# A condition of absence reaches back 23.5 hours at most, so this counts 24 hours back, and has to hold for 2 hours more.
resource "google_monitoring_alert_policy" "no_reconcile" {
  display_name          = "No daily check for 26 hours"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels

  conditions {
    display_name = "No daily check for 26 hours"

    condition_prometheus_query_language {
      query               = "(sum(increase(logging_googleapis_com:user_${google_logging_metric.event["reconciled"].name}{monitored_resource=\"cloud_run_job\"}[24h])) or vector(0)) < 1"
      duration            = "7200s"
      evaluation_interval = "300s"
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }

  documentation {
    content   = "Nothing proves any more that no activity is missing. Was the job started (Cloud Scheduler, athlete-daily)? Did it fail (its log)? After the first apply it means that there was none yet. `gcloud run jobs execute athlete-daily --region ${var.region}` starts it now."
    mime_type = "text/markdown"
  }
}
