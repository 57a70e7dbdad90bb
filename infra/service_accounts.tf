# One account per program, without any role of the project's owner or editor. What each may do is beside what it is done to.
locals {
  programs = {
    service   = "Takes Strava's events; may publish them, and nothing else."
    worker    = "Handles events: raw, and the athletes' tokens."
    daily     = "Compares with Strava once a day: raw, and the athletes' tokens."
    sweep     = "Does what is due, every five minutes: raw, the athletes' tokens, the topic."
    backfill  = "Loads the history: raw, and the athletes' tokens."
    transform = "Runs dbt: raw, staging and mart."
    import    = "Imports the athletes' own files: raw, and the bucket that they are put into."
    dashboard = "Shows the pages; may read mart, and nothing else."
    push      = "In whose name Pub/Sub pushes; may call the worker, and nothing else."
    scheduler = "In whose name Cloud Scheduler starts jobs; may start those three, and nothing else."
  }
}

resource "google_service_account" "program" {
  for_each = local.programs

  account_id   = "athlete-${each.key}"
  display_name = "Athlete Dashboard: ${each.key}"
  description  = each.value

  depends_on = [google_project_service.api]
}
