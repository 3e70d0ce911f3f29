variable "project_id" {
  description = "The project of the cluster."
  type        = string
}

variable "name" {
  description = "The name of the cluster, and of the workers' account."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,23}[a-z0-9]$", var.name))
    error_message = "name: 6 to 25 lower-case letters, digits and hyphens, as the accounts are named after it."
  }
}

variable "location" {
  description = "A region, or a zone: the management fee of one zonal cluster is free."
  type        = string
}

variable "network" {
  description = "The network: its id, the subnetwork's, the names of the secondary ranges for pods and services, and a /28 for the control plane."
  type = object({
    network             = string
    subnetwork          = string
    pods_range          = string
    services_range      = string
    control_plane_range = string
  })

  validation {
    condition     = can(cidrhost(var.network.control_plane_range, 0)) && endswith(var.network.control_plane_range, "/28")
    error_message = "network: control_plane_range is a /28, such as 172.16.0.0/28."
  }
}

variable "release_channel" {
  description = "The channel that GKE upgrades from."
  type        = string
  default     = "REGULAR"

  validation {
    condition     = contains(["RAPID", "REGULAR", "STABLE", "EXTENDED"], var.release_channel)
    error_message = "release_channel: RAPID, REGULAR, STABLE or EXTENDED."
  }
}

variable "spot" {
  description = "The pool that the workers run on: bounds on all zones together, and what a node is."
  type = object({
    min_nodes    = optional(number, 1)
    max_nodes    = optional(number, 5)
    machine_type = optional(string, "e2-standard-2")
    disk_gb      = optional(number, 50)
  })
  default = {}

  validation {
    condition     = var.spot.min_nodes >= 0 && var.spot.min_nodes <= var.spot.max_nodes && var.spot.max_nodes >= 1
    error_message = "spot: 0 <= min_nodes <= max_nodes, and max_nodes is at least 1."
  }
}

variable "fallback" {
  description = "The on-demand pool for when there are no Spot nodes to be had."
  type = object({
    min_nodes    = optional(number, 0)
    max_nodes    = optional(number, 3)
    machine_type = optional(string, "e2-standard-2")
    disk_gb      = optional(number, 50)
  })
  default = {}

  validation {
    condition     = var.fallback.min_nodes >= 0 && var.fallback.min_nodes <= var.fallback.max_nodes && var.fallback.max_nodes >= 1
    error_message = "fallback: 0 <= min_nodes <= max_nodes, and max_nodes is at least 1."
  }
}

variable "gpu" {
  description = "The GPU pool, on Spot and from zero nodes; none without. `zones` must have the accelerator."
  type = object({
    zones        = optional(set(string))
    max_nodes    = optional(number, 1)
    machine_type = optional(string, "g2-standard-4")
    accelerator  = optional(string, "nvidia-l4")
    accelerators = optional(number, 1)
    disk_gb      = optional(number, 100)
  })
  default = null

  validation {
    condition     = var.gpu == null || try(var.gpu.max_nodes >= 1 && var.gpu.accelerators >= 1, false)
    error_message = "gpu: max_nodes and accelerators are at least 1."
  }
}

variable "workload" {
  description = "Whose pods are the workers: the Kubernetes namespace and service account."
  type = object({
    namespace                  = optional(string, "workers")
    kubernetes_service_account = optional(string, "workers")
  })
  default = {}
}

variable "image_repositories" {
  description = "The Artifact Registry repositories that nodes pull from, by id."
  type        = map(object({ project_id = string, location = string }))
  default     = {}
}

variable "maintenance" {
  description = "When GKE may upgrade: a window in UTC, and how it recurs (RFC 5545)."
  type = object({
    start_time = optional(string, "2026-01-03T02:00:00Z")
    end_time   = optional(string, "2026-01-03T08:00:00Z")
    recurrence = optional(string, "FREQ=WEEKLY;BYDAY=SA,SU")
  })
  default = {}
}

variable "labels" {
  description = "Labels of the cluster."
  type        = map(string)
  default     = {}
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the cluster."
  type        = bool
  default     = true
}
