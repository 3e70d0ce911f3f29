variable "project_id" {
  description = "The project whose Cloud Trace the workers write to."
  type        = string
}

variable "namespace" {
  description = "The Kubernetes namespace of the workers."
  type        = string
}

variable "kubernetes_service_account" {
  description = "The Kubernetes service account that the pods run as."
  type        = string
}

variable "service_account" {
  description = "The email of the Google account that the pods are, by Workload Identity."
  type        = string
}

variable "temporal" {
  description = "The Temporal workers: their image, where Temporal is (HOST:PORT) and which of its namespaces, environment variables besides, the part of work that is traced, and by name each worker with its task queue, replicas, GPUs, and resources. Only the namespace and the account if null."
  type = object({
    image                 = string
    address               = string
    namespace             = optional(string, "default")
    environment_variables = optional(map(string), {})
    trace_ratio           = optional(number, 0.1)
    workers = optional(map(object({
      task_queue = string
      replicas   = optional(number, 1)
      gpus       = optional(number, 0)
      cpu        = optional(string, "250m")
      memory     = optional(string, "512Mi")
      max_cpu    = optional(string, "1500m")
      max_memory = optional(string, "4Gi")
      })), {
      # One worker, and no GPU before there is work for one.
      worker     = { task_queue = "default" }
      gpu-worker = { task_queue = "gpu", replicas = 0, gpus = 1, cpu = "1", memory = "4Gi", max_cpu = "3", max_memory = "12Gi" }
    })
  })
  default = null

  validation {
    condition     = var.temporal == null || try(can(regex("^[^:/\\s]+:[0-9]+$", var.temporal.address)) && can(regex("[:@]", var.temporal.image)), false)
    error_message = "temporal: address is HOST:PORT without a scheme, and image has a tag or a digest."
  }

  validation {
    condition     = var.temporal == null || try(var.temporal.trace_ratio >= 0 && var.temporal.trace_ratio <= 1, false)
    error_message = "temporal: trace_ratio is 0 to 1."
  }

  validation {
    condition = var.temporal == null || try(alltrue([for name, worker in var.temporal.workers :
      can(regex("^[a-z][a-z0-9-]{0,50}[a-z0-9]$", name)) && worker.replicas >= 0 && floor(worker.replicas) == worker.replicas && worker.gpus >= 0 && worker.task_queue != ""
    ]), false)
    error_message = "temporal: each worker has a name of lower-case letters, digits and hyphens, a task_queue, and whole numbers of replicas and gpus."
  }
}
