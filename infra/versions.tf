# Pinned: a new version of the provider is a change of its own, with a plan to read.
terraform {
  required_version = ">= 1.11, < 2.0"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "6.50.0"
    }
  }
}

provider "google" {
  project               = var.project_id
  region                = var.region
  user_project_override = true
  billing_project       = var.project_id

  default_labels = {
    app = "athlete-dashboard"
  }
}

data "google_project" "this" {
  project_id = var.project_id
}
