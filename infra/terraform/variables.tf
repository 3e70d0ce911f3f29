variable "project_id" {
  description = "The project that the suite runs in: one of its own that looks after others (recommended), or the one that it looks after."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id: 6 to 30 lower case letters, digits and hyphens, such as my-caretaker."
  }
}

variable "region" {
  description = "Where functions, schedules and buckets are."
  type        = string
  default     = "europe-west1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region: a region such as europe-west1, not a zone."
  }
}

variable "firestore_location" {
  description = "The location of the database, which cannot be changed later: a region or a multi-region such as eur3. Default: the region."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^([a-z]+-[a-z]+[0-9]+|[a-z]{3}[0-9])?$", var.firestore_location))
    error_message = "firestore_location: a region such as europe-west1, or eur3, nam5, nam7."
  }
}

variable "organization" {
  description = "The number of your organization, if you have one and may make roles in it: then billing permissions are granted by a role of exactly these."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^[0-9]*$", var.organization))
    error_message = "organization: the number alone, such as 123456789012."
  }
}

variable "settings" {
  description = "The owner's settings: caretaker.yaml, as ./deploy.sh has read and checked it. An automation without a section is not deployed."
  type        = any
}

variable "scopes" {
  description = "By automation, what its section asks for and names: permissions are granted on these alone (modules/automation). ./deploy.sh finds it."
  type = map(object({
    permissions      = optional(set(string))
    projects         = optional(map(set(string)), {})
    secrets          = optional(set(string), [])
    own_secrets      = optional(set(string), [])
    buckets          = optional(map(string), {})
    repositories     = optional(set(string), [])
    accounts         = optional(set(string), [])
    billing_accounts = optional(set(string), [])
  }))
  default = {}
}

variable "bundles" {
  description = "By automation, the file that ./deploy.sh bundle has made of it."
  type        = map(string)
}

variable "budgets" {
  description = "Budgets to create, by their keys in caretaker.yaml: those that have no `id` there."
  type = map(object({
    amount       = number
    projects     = optional(set(string), [])
    display_name = optional(string)
  }))
  default = {}
}

variable "secrets" {
  description = "Secrets to create, by their keys in caretaker.yaml's `rotate_secrets.secrets`: with Secret Manager's own schedule by their `every_days`, in these regions or where Google chooses."
  type = map(object({
    locations = optional(set(string), [])
  }))
  default = {}
}

variable "alerts" {
  description = "The recipients of alerts: addresses, ids of Slack notification channels (made in the console, as they hold a token), and full names of topics."
  type = object({
    emails = optional(set(string), [])
    slack  = optional(set(string), [])
    topics = optional(set(string), [])
  })
  default = {}
}

variable "billing_export" {
  description = "A dataset for Cloud Billing's export, with views on it once the export has begun. Switching it on is a click in the console."
  type = object({
    billing_account = string
    location        = optional(string, "EU")
    dataset         = optional(string, "billing_export")
    label           = optional(string, "team")
    table_is_there  = optional(bool, false)
  })
  default = null
}

variable "report" {
  description = "The report behind Identity-Aware Proxy: its image, who may sign in, and the time zone of the page. Off if null."
  type = object({
    image     = string
    viewers   = set(string)
    time_zone = optional(string, "Etc/UTC")
  })
  default = null
}

variable "images" {
  description = "Whether the suite makes the topic `gcr` in the projects of the images, to which Artifact Registry publishes. False if it is there already."
  type        = bool
  default     = true
}

variable "keep_state_on_destroy" {
  description = "Whether the database, with what is to be put back, outlives `destroy`."
  type        = bool
  default     = false
}
