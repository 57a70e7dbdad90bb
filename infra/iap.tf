# Nobody but IAP may call the dashboard, so while IAP is off the answer is 403 to everybody.
resource "google_cloud_run_v2_service_iam_member" "iap" {
  name     = google_cloud_run_v2_service.dashboard.name
  location = var.region
  role     = "roles/run.invoker"
  member   = local.service_agents.iap
}

resource "google_iap_web_cloud_run_service_iam_member" "viewer" {
  for_each = var.viewers

  cloud_run_service_name = google_cloud_run_v2_service.dashboard.name
  location               = var.region
  role                   = "roles/iap.httpsResourceAccessor"
  member                 = "user:${each.key}"
}

# This version of the provider has no argument for IAP in front of Cloud Run, and a change of the program by it may
# switch IAP off. So it is switched on after each.
resource "terraform_data" "iap" {
  triggers_replace = [sha256(jsonencode(google_cloud_run_v2_service.dashboard.template))]

  provisioner "local-exec" {
    command = join(" ", [
      "gcloud run services update ${google_cloud_run_v2_service.dashboard.name} --iap",
      "--region=${var.region} --project=${var.project_id} --quiet",
    ])
  }
}
