output "service_url" {
  description = "Where Strava's events arrive; the webhook is /webhook/ and the secret behind it."
  value       = local.public_url
}

output "worker_url" {
  description = "Where Pub/Sub pushes to. It answers nobody else."
  value       = local.worker_url
}

output "dashboard_url" {
  description = "The pages, for the viewers alone."
  value       = "https://${local.hosts.dashboard}"
}

output "inbox" {
  description = "Where the athletes' own files are put for the job athlete-import."
  value       = "gs://${google_storage_bucket.inbox.name}/${local.inbox_folder}/"
}

output "images" {
  description = "Where images are pushed to: service, worker and dashboard."
  value       = local.images
}

output "secrets" {
  description = "Secrets whose values you add; Terraform never sees them."
  value       = [for secret in google_secret_manager_secret.program : secret.secret_id]
}

output "next_steps" {
  description = "What to do after an apply."
  value       = <<-EOT
    1. Add what is missing of the secrets' values, such as
         openssl rand -hex 24 | tr -d '\n' | gcloud secrets versions add webhook-path-secret --project ${var.project_id} --data-file=-
       strava-verify-token takes a word of your own, strava-client-secret your app's Client Secret.
    2. Push the images service, worker and dashboard with the tag ${var.image_tag} to
         ${local.images}
    3. Ask the service: curl ${local.public_url}/health
    4. Say to the commands where all of it is:
         export BACKEND=gcp GOOGLE_CLOUD_PROJECT=${var.project_id} GOOGLE_CLOUD_REGION=${var.region} BIGQUERY_LOCATION=${var.dataset_location}
         export STRAVA_CLIENT_ID=${var.strava_client_id} PUBLIC_URL=${local.public_url}
       and from the secrets STRAVA_CLIENT_SECRET, WEBHOOK_PATH_SECRET and STRAVA_VERIFY_TOKEN (docs/google-cloud.md, step 5).
    5. Connect yourself: athlete connect
    6. Create the subscription at Strava: athlete subscription create
    7. Open https://${local.hosts.dashboard} as one of the viewers.
  EOT
}
