variable "project_id" {
  description = "Id of the Google Cloud project. It should hold nothing else."
  type        = string
}

variable "billing_account" {
  description = "Id of the billing account that pays for the project, such as 012345-6789AB-CDEF01 (`gcloud billing accounts list`)."
  type        = string
}

variable "region" {
  description = "Region of the programs, the images and the scheduler."
  type        = string
  default     = "europe-west1"
}

variable "dataset_location" {
  description = "Location of the BigQuery datasets: EU, US or a region. It cannot be changed later."
  type        = string
  default     = "EU"
}

variable "image_tag" {
  description = "Tag of the images in Artifact Registry that the programs run."
  type        = string
}

variable "base_image" {
  description = "Image of Python that Cloud Build builds on. Name its digest too, so that a build can be repeated: a tag moves."
  type        = string
  default     = "python:3.11-slim-bookworm"

  validation {
    condition     = can(regex("^([^ @]+/)?python:[0-9A-Za-z_.-]+(@sha256:[0-9a-f]{64})?$", var.base_image))
    error_message = "It is an image of Python with its tag, and its digest if you have one: python:3.11-slim-bookworm@sha256:…"
  }
}

variable "repository" {
  description = "Repository at GitHub, connected to Cloud Build, whose branch is checked, built and offered for deployment; null is none."
  type        = object({ owner = string, name = string, branch = optional(string, "main") })
  default     = null
}

variable "strava_client_id" {
  description = "Client ID of your Strava app (https://www.strava.com/settings/api). Its Client Secret goes to Secret Manager."
  type        = string
}

variable "public_url" {
  description = "Address under which the internet reaches the service; null is the one that Cloud Run gives it."
  type        = string
  default     = null
}

variable "viewers" {
  description = "Who may open the dashboard: the e-mail of a Google account, and the Strava ids of the athletes whom it may see."
  type        = map(set(number))
  default     = {}

  validation {
    condition     = alltrue([for email in keys(var.viewers) : can(regex("^[^@ ]+@[^@ ]+$", email))])
    error_message = "A key of viewers is an e-mail address."
  }

  validation {
    condition     = alltrue([for email in keys(var.viewers) : email == lower(email)])
    error_message = "Write the e-mails of viewers in lower case, as Google passes them on."
  }
}

variable "alert_emails" {
  description = "E-mail addresses that alerts and the budget are sent to."
  type        = set(string)

  validation {
    condition     = length(var.alert_emails) > 0
    error_message = "An alert that nobody reads is none: name one address or more."
  }
}

variable "monthly_budget" {
  description = "Amount a month, in the currency of the billing account, at whose half, nine tenths and whole a message is sent."
  type        = number
  default     = 20
}

variable "display_timezone" {
  description = "IANA name of the time zone of the daily job and of the dashboard."
  type        = string
  default     = "Europe/Berlin"
}

variable "log_level" {
  description = "The least level that the programs log: DEBUG or INFO. Alerts count lines of the level INFO."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["DEBUG", "INFO"], var.log_level)
    error_message = "It is DEBUG or INFO: alerts count lines of the level INFO, such as a daily check that came to its end."
  }
}

variable "service_min_instances" {
  description = "Instances of the service that are always warm. With 0, a first event waits for a start, and Strava waits 2 s."
  type        = number
  default     = 1
}

variable "maximum_bytes_billed" {
  description = "Bytes that one query of the transforms may bill; a larger one fails before it runs."
  type        = number
  default     = 10737418240
}

variable "settings" {
  description = "Settings of the worker and of the jobs that are to differ from their defaults, by the names in the README."
  type        = map(string)
  default     = {}

  validation {
    condition = alltrue([for name in keys(var.settings) : contains([
      "BUDGET_SHARE_DETAIL",
      "BUDGET_SHARE_RECONCILE",
      "BUDGET_SHARE_STREAMS",
      "LEDGER_DAYS",
      "NOT_FOUND_GRACE_S",
      "RECONCILE_GUARD_SHARE",
      "RECONCILE_LOOKS",
      "RETENTION_DAYS",
      "SECOND_LOOK_S",
      "SETTLE_AFTER_S",
      "STRAVA_SUBSCRIPTION_ID",
      "STREAMS",
      "STREAMS_DAYS",
      "TRANSFORM_INTERVAL_S",
    ], name)])
    error_message = "A key is a setting that the worker reads, and that no other variable stands for."
  }
}
