variable "project_id" {
  description = "The project that holds the dataset: BigQuery bills what is asked of it to this one."
  type        = string
}

variable "location" {
  description = "Where the dataset is: EU and US also hold the months before the export was switched on."
  type        = string
  default     = "EU"
}

variable "dataset" {
  description = "The id of the dataset."
  type        = string
  default     = "billing_export"

  validation {
    condition     = can(regex("^[A-Za-z0-9_]+$", var.dataset))
    error_message = "dataset: letters, digits and underscores."
  }
}

variable "billing_account" {
  description = "The billing account that is exported, such as 0A1B2C-3D4E5F-6A7B8C."
  type        = string

  validation {
    condition     = can(regex("^[0-9A-Z]{6}-[0-9A-Z]{6}-[0-9A-Z]{6}$", var.billing_account))
    error_message = "billing_account: like 0A1B2C-3D4E5F-6A7B8C."
  }
}

variable "label" {
  description = "The label by which a view adds up costs."
  type        = string
  default     = "team"

  validation {
    condition     = can(regex("^[a-z][a-z0-9_-]{0,62}$", var.label))
    error_message = "label: the key of a label, such as team."
  }
}

variable "table_is_there" {
  description = "Whether Cloud Billing has made its table: BigQuery refuses a view on a table that does not exist. Within a day of switching the export on."
  type        = bool
  default     = false
}

variable "labels" {
  description = "Labels of what is made here."
  type        = map(string)
  default     = {}
}
