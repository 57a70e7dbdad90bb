locals {
  # Cloud Run's addresses are known before the programs exist: NAME-PROJECT_NUMBER.REGION.run.app.
  # https://cloud.google.com/run/docs/triggering/https-request#deterministic
  hosts = {
    for program in ["service", "worker", "dashboard"] :
    program => "athlete-${program}-${data.google_project.this.number}.${var.region}.run.app"
  }
  public_url = coalesce(var.public_url, "https://${local.hosts.service}")
  worker_url = "https://${local.hosts.worker}"

  images = "${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.images.repository_id}"

  # Google's own accounts that act in this project.
  service_agents = {
    iap    = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-iap.iam.gserviceaccount.com"
    pubsub = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
  }

  # Environments of the programs. What every program is told:
  shared_environment = {
    BACKEND              = "gcp"
    GOOGLE_CLOUD_PROJECT = var.project_id
    LOG_FORMAT           = "google"
    LOG_LEVEL            = var.log_level
  }

  # What is told to whom reads or writes BigQuery.
  warehouse_environment = {
    BIGQUERY_LOCATION             = var.dataset_location
    BIGQUERY_MAXIMUM_BYTES_BILLED = tostring(var.maximum_bytes_billed)
    DATA_DIR                      = "/tmp/athlete" # in memory: the calls that are left, and what dbt compiles
  }

  # What is told to whom keeps tokens in Secret Manager, asks Strava, and starts jobs.
  strava_environment = {
    GOOGLE_CLOUD_REGION = var.region
    STRAVA_CLIENT_ID    = var.strava_client_id
    TOKEN_SECRET_PREFIX = local.token_secret_prefix
  }
}
