variable "project_id" {
  description = "The project of the service."
  type        = string
}

variable "name" {
  description = "The name of the service and of its account."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.name))
    error_message = "name: 6 to 30 lower-case letters, digits and hyphens, as an account has too."
  }
}

variable "environment" {
  description = "In `production` an instance stays warm; elsewhere none does."
  type        = string

  validation {
    condition     = contains(["production", "staging", "development"], var.environment)
    error_message = "environment: production, staging or development."
  }
}

variable "regions" {
  description = "The regions to run in, each with the subnetwork to reach private addresses by, if any."
  type        = map(object({ subnetwork = optional(string) }))

  validation {
    condition     = length(var.regions) > 0
    error_message = "regions: at least one."
  }
}

variable "image" {
  description = "The image of the first revision; later ones are continuous integration's to deploy."
  type        = string

  validation {
    condition     = can(regex("(@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9_.-]*)$", var.image)) && !endswith(var.image, ":latest")
    error_message = "image: by digest (NAME@sha256:...), or by a tag other than latest."
  }
}

variable "scaling" {
  description = "Instances in each region, and requests that one of them takes at a time. Without `min_instances`: 1 in production, 0 elsewhere."
  type = object({
    min_instances = optional(number)
    max_instances = optional(number, 10)
    concurrency   = optional(number, 80)
  })
  default = {}

  validation {
    condition     = var.scaling.max_instances >= 1 && coalesce(var.scaling.min_instances, 0) >= 0 && coalesce(var.scaling.min_instances, 0) <= var.scaling.max_instances
    error_message = "scaling: 0 <= min_instances <= max_instances, and max_instances is at least 1."
  }

  validation {
    condition     = var.scaling.concurrency >= 1 && var.scaling.concurrency <= 1000
    error_message = "scaling: concurrency is 1 to 1000."
  }
}

variable "cpu" {
  description = "CPUs of an instance."
  type        = string
  default     = "1"
}

variable "memory" {
  description = "Memory of an instance."
  type        = string
  default     = "512Mi"
}

variable "cpu_always_allocated" {
  description = "Whether the CPU is there, and paid, between requests too."
  type        = bool
  default     = false
}

variable "port" {
  description = "The port that the container listens on."
  type        = number
  default     = 8080
}

variable "timeout_seconds" {
  description = "How long a request may take."
  type        = number
  default     = 30

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 3600
    error_message = "timeout_seconds: 1 to 3600."
  }
}

variable "probes" {
  description = "What is asked whether an instance can serve, for how long at most it may take to, and what is asked whether it lives."
  type = object({
    startup_path    = optional(string, "/ready")
    startup_seconds = optional(number, 120)
    liveness_path   = optional(string, "/health")
  })
  default = {}

  validation {
    condition     = var.probes.startup_seconds >= 1 && var.probes.startup_seconds <= 240
    error_message = "probes: startup_seconds is 1 to 240, which is Cloud Run's limit."
  }
}

variable "environment_variables" {
  description = "Environment variables that are no secrets."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "Environment variables that are secrets: the secret's id, and the number of its version."
  type        = map(object({ secret = string, version = string }))
  default     = {}

  validation {
    condition     = alltrue([for secret in var.secrets : can(regex("^[1-9][0-9]*$", secret.version))])
    error_message = "secrets: each version is a number. Instances of one revision would see different values of `latest`."
  }
}

variable "ingress" {
  description = "Where requests may come from."
  type        = string
  default     = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
}

variable "public" {
  description = "Whether anyone may call it who can reach it. Without a grant to everybody, which organisations often forbid."
  type        = bool
  default     = false
}

variable "labels" {
  description = "Labels of the service."
  type        = map(string)
  default     = {}
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the service."
  type        = bool
  default     = true
}
