variable "project_id" {
  description = "The project of the backups and their jobs."
  type        = string
}

variable "name" {
  description = "What the jobs and their accounts are called by."
  type        = string
  default     = "backups"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}[a-z0-9]$", var.name))
    error_message = "name: 2 to 21 lower-case letters, digits and hyphens."
  }
}

variable "bucket" {
  description = "The name of the bucket; the copies' has `-copies` after it."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9_-]{1,54}[a-z0-9]$", var.bucket))
    error_message = "bucket: 3 to 56 lower-case letters, digits, hyphens and underscores, unique in the world."
  }
}

variable "region" {
  description = "The region of the bucket and the jobs: the database's."
  type        = string
}

variable "recoverable_days" {
  description = "For how many days what was deleted or overwritten can be had back."
  type        = number
  default     = 14

  validation {
    condition     = var.recoverable_days >= 7 && var.recoverable_days <= 90
    error_message = "recoverable_days: 7 to 90, which are Cloud Storage's limits for soft delete."
  }
}

variable "copies" {
  description = "The copies: their region, project (if another), class, for how many days no one can delete one, whether that is permanent (locked), when one is deleted, and the hour (UTC) of the copying."
  type = object({
    region            = string
    project_id        = optional(string)
    storage_class     = optional(string, "NEARLINE")
    retention_days    = optional(number, 30)
    locked            = optional(bool, false)
    delete_after_days = optional(number, 90)
    hour              = optional(number, 4)
  })

  validation {
    condition     = var.copies.region != var.region
    error_message = "copies: region is another than the backups' own."
  }

  validation {
    condition     = var.copies.retention_days >= 1 && var.copies.delete_after_days > var.copies.retention_days
    error_message = "copies: retention_days is at least 1, and delete_after_days more than that."
  }

  validation {
    condition     = contains(["STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"], var.copies.storage_class) && var.copies.hour >= 0 && var.copies.hour <= 23
    error_message = "copies: storage_class is STANDARD, NEARLINE, COLDLINE or ARCHIVE, and hour is 0 to 23."
  }
}

variable "back_up" {
  description = "The job that takes a backup: its image, when (unix-cron), and what it is given. None without."
  type = object({
    image                 = string
    schedule              = optional(string, "15 */6 * * *")
    args                  = optional(list(string))
    environment_variables = optional(map(string), {})
    secrets               = optional(map(object({ secret = string, version = string })), {})
    timeout_seconds       = optional(number, 3600)
    cpu                   = optional(string, "1")
    memory                = optional(string, "1Gi")
  })
  default = null
}

variable "prove" {
  description = "The job that restores the newest backup and marks it as proved. None without."
  type = object({
    image                 = string
    schedule              = optional(string, "45 3 * * *")
    args                  = optional(list(string))
    environment_variables = optional(map(string), {})
    secrets               = optional(map(object({ secret = string, version = string })), {})
    timeout_seconds       = optional(number, 7200)
    cpu                   = optional(string, "2")
    memory                = optional(string, "4Gi")
  })
  default = null
}

variable "time_zone" {
  description = "The time zone of the schedules."
  type        = string
  default     = "Etc/UTC"
}

variable "subnetwork" {
  description = "The subnetwork that the jobs reach the database's private address by."
  type        = string
  default     = null
}

variable "labels" {
  description = "Labels of the buckets and jobs."
  type        = map(string)
  default     = {}
}
