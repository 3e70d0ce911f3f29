variable "project_id" {
  description = "The project of the previews: one without production data, if you can."
  type        = string
}

variable "location" {
  description = "The region of the images: the previews' own."
  type        = string
}

variable "repository" {
  description = "The id of the Artifact Registry repository."
  type        = string
  default     = "previews"
}

variable "cleanup" {
  description = "After how many days an image is deleted, and how many of the newest are kept at any age."
  type = object({
    delete_after_days = optional(number, 14)
    keep_newest       = optional(number, 5)
  })
  default = {}

  validation {
    condition     = var.cleanup.delete_after_days >= 1 && var.cleanup.keep_newest >= 1
    error_message = "cleanup: both numbers are at least 1."
  }
}

variable "github_repositories" {
  description = "The repositories whose workflows may push, by name: the number that GitHub knows each by (`gh api repos/OWNER/NAME --jq .id`)."
  type        = map(number)

  validation {
    condition     = length(var.github_repositories) > 0 && alltrue([for name, id in var.github_repositories : can(regex("^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", name)) && id > 0])
    error_message = "github_repositories: at least one, as OWNER/NAME = number."
  }
}

variable "preview_account" {
  description = "The id of the account that previews run as."
  type        = string
  default     = "previews"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.preview_account))
    error_message = "preview_account: 6 to 30 lower-case letters, digits and hyphens."
  }
}

variable "deployers" {
  description = "Who deploys previews, by a key of yours: `serviceAccount:` and the email of manage_previews."
  type        = map(string)
  default     = {}
}

variable "identity_pool" {
  description = "What the id of the workload identity pool begins with; the time when it was made follows."
  type        = string
  default     = "github"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,15}[a-z0-9]$", var.identity_pool)) && !startswith(var.identity_pool, "gcp-")
    error_message = "identity_pool: 4 to 17 lower-case letters, digits and hyphens, not beginning with gcp-."
  }
}

variable "vulnerability_scanning" {
  description = "Whether each image is scanned, which is paid by the image."
  type        = bool
  default     = false
}

variable "labels" {
  description = "Labels of the repository."
  type        = map(string)
  default     = {}
}
