# The pipeline from left to right: what arrives, what waits, what fails, and whether all is there.
locals {
  charts = [
    { title = "Requests to the service, by answer", aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", group = "metric.label.response_code_class",
    filter = "${local.requests_of.service}\"run.googleapis.com/request_count\"" },
    { title = "Answer of the service, 99th percentile (ms)", aligner = "ALIGN_PERCENTILE_99", reducer = "REDUCE_MAX", group = null,
    filter = "${local.requests_of.service}\"run.googleapis.com/request_latencies\"" },
    { title = "Events that wait", aligner = "ALIGN_MAX", reducer = "REDUCE_SUM", group = null,
    filter = "${local.backlog_of.worker}\"pubsub.googleapis.com/subscription/num_undelivered_messages\"" },
    { title = "Oldest event that waits (s)", aligner = "ALIGN_MAX", reducer = "REDUCE_MAX", group = null,
    filter = "${local.backlog_of.worker}\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\"" },
    { title = "Pushes to the worker, by answer", aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", group = "metric.label.response_code",
    filter = "${local.requests_of.worker}\"run.googleapis.com/request_count\"" },
    { title = "Dead letters that are kept", aligner = "ALIGN_MAX", reducer = "REDUCE_SUM", group = null,
    filter = "${local.backlog_of.dead_letters}\"pubsub.googleapis.com/subscription/num_undelivered_messages\"" },
    { title = "Jobs, by result", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", group = "metric.label.result",
    filter = "resource.type=\"cloud_run_job\" AND metric.type=\"run.googleapis.com/job/completed_execution_count\"" },
    { title = "Bytes that BigQuery billed", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", group = null,
    filter = "metric.type=\"bigquery.googleapis.com/query/statement_scanned_bytes_billed\"" },
  ]

  log_charts = [
    for name, told in local.log_metrics : {
      title   = trimsuffix(split(";", told.description)[0], ".")
      aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", group = null
      filter  = local.log_series[name]
    }
  ]
}

resource "google_monitoring_dashboard" "pipeline" {
  dashboard_json = jsonencode({
    displayName = "Athlete Dashboard"
    gridLayout = {
      columns = "2"
      widgets = [
        for chart in concat(local.charts, local.log_charts) : {
          title = chart.title
          xyChart = {
            dataSets = [{
              plotType = "LINE"
              timeSeriesQuery = {
                timeSeriesFilter = {
                  filter = chart.filter
                  aggregation = merge(
                    {
                      alignmentPeriod    = "300s"
                      perSeriesAligner   = chart.aligner
                      crossSeriesReducer = chart.reducer
                    },
                    chart.group == null ? {} : { groupByFields = [chart.group] },
                  )
                }
              }
            }]
          }
        }
      ]
    }
  })

  depends_on = [google_project_service.api]
}
