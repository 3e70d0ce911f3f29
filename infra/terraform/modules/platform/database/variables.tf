variable "project_id" {
  description = "The project of the instance."
  type        = string
}

variable "name" {
  description = "The name of the instance; a deleted one's cannot be had again for a week."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,61}[a-z0-9]$", var.name))
    error_message = "name: lower-case letters, digits and hyphens."
  }
}

variable "region" {
  description = "The region of the instance."
  type        = string
}

variable "network" {
  description = "The id of the network that it has its address in: projects/PROJECT/global/networks/NETWORK."
  type        = string

  validation {
    condition     = can(regex("^projects/[^/]+/global/networks/[^/]+$", var.network))
    error_message = "network: projects/PROJECT/global/networks/NETWORK."
  }
}

variable "private_services_access" {
  description = "Whether to make the network's peering with Google's services. A network has one: false if it is there."
  type        = bool
  default     = true
}

variable "database_version" {
  description = "Which PostgreSQL."
  type        = string
  default     = "POSTGRES_18"

  validation {
    condition     = can(regex("^POSTGRES_1[4-9]$", var.database_version))
    error_message = "database_version: POSTGRES_14 or later."
  }
}

variable "tier" {
  description = "The machine: db-f1-micro, db-g1-small, or db-custom-CPUS-MEGABYTES."
  type        = string
  default     = "db-custom-1-3840"

  validation {
    condition     = can(regex("^db-(f1-micro|g1-small|custom-[0-9]+-[0-9]+)$", var.tier))
    error_message = "tier: db-f1-micro, db-g1-small, or db-custom-CPUS-MEGABYTES."
  }
}

variable "disk_gb" {
  description = "The disk at the start; it grows by itself and never shrinks."
  type        = number
  default     = 10
}

variable "highly_available" {
  description = "Whether there is a standby in a second zone, at twice the price."
  type        = bool
  default     = false
}

variable "replica" {
  description = "A replica in a second region, for when the first one fails: its region, its machine (the first one's), and whether it has been promoted. None without."
  type = object({
    region   = string
    tier     = optional(string)
    promoted = optional(bool, false)
  })
  default = null

  validation {
    condition     = var.replica == null || try(var.replica.region != var.region, false)
    error_message = "replica: region is another one than the instance's, such as europe-north1."
  }
}

variable "backup_location" {
  description = "Where Cloud SQL's own backups are kept: a multi-region such as eu, or a second region."
  type        = string
  default     = null
}

variable "database" {
  description = "The database of the product."
  type        = string
  default     = "product"
}

variable "users" {
  description = "The user that the product logs in as, or two that take turns when the password is rotated."
  type        = list(string)
  default     = ["product"]

  validation {
    condition     = contains([1, 2], length(distinct(var.users))) && length(distinct(var.users)) == length(var.users) && alltrue([for user in var.users : can(regex("^[a-z_][a-z0-9_]{0,62}$", user))])
    error_message = "users: one, or two that differ, of lower-case letters, digits and underscores."
  }
}

variable "backup_user" {
  description = "A user who may read everything, for the backup job. None if null."
  type        = string
  default     = "backup"
}

variable "rotation" {
  description = "The topic that Secret Manager announces rotations by (the suite's `caretaker-secret-notifications`; Secret Manager's agent must be a publisher of it), and how many days a password is good for. None without."
  type = object({
    topic = string
    days  = optional(number, 90)
  })
  default = null

  validation {
    condition     = var.rotation == null || try(can(regex("^projects/[^/]+/topics/[^/]+$", var.rotation.topic)) && var.rotation.days >= 1, false)
    error_message = "rotation: topic is projects/PROJECT/topics/TOPIC, and days are at least 1."
  }
}

variable "connections" {
  description = "Who connects, at most: instances of the service in all regions with the requests that each answers at a time (none is kept, so each request has one), and workers with their pools."
  type = object({
    serverless_instances = number
    serverless_requests  = number
    workers              = number
    pool_size            = optional(number, 5)
    max_overflow         = optional(number, 10)
    reserved             = optional(number, 20)
  })

  validation {
    condition     = alltrue([for number in values(var.connections) : number >= 0])
    error_message = "connections: no number is less than 0."
  }
}

variable "flags" {
  description = "Database flags besides, or instead of, the module's own."
  type        = map(string)
  default     = {}
}

variable "labels" {
  description = "Labels of the instance and of the secret."
  type        = map(string)
  default     = {}
}

variable "deletion_protection" {
  description = "Whether Terraform and Google refuse to delete the instance."
  type        = bool
  default     = true
}
