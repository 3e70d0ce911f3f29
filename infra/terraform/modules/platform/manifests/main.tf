locals {
  workers = try(var.temporal.workers, {})

  identity = [
    { apiVersion = "v1", kind = "Namespace", metadata = { name = var.namespace } },
    {
      apiVersion = "v1"
      kind       = "ServiceAccount"
      metadata = {
        name        = var.kubernetes_service_account
        namespace   = var.namespace
        annotations = { "iam.gke.io/gcp-service-account" = var.service_account }
      }
    },
  ]

  # The product's own variable, and OpenTelemetry's: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
  environment = var.temporal == null ? {} : merge(
    {
      GOOGLE_CLOUD_PROJECT    = var.project_id
      TEMPORAL_ADDRESS        = var.temporal.address
      TEMPORAL_NAMESPACE      = var.temporal.namespace
      TRACE_RATIO             = tostring(var.temporal.trace_ratio)
      OTEL_TRACES_SAMPLER     = "parentbased_traceidratio"
      OTEL_TRACES_SAMPLER_ARG = tostring(var.temporal.trace_ratio)
    },
    var.temporal.environment_variables,
  )

  spot = { key = "cloud.google.com/gke-spot", operator = "Equal", value = "true", effect = "NoSchedule" }
  gpu  = { key = "nvidia.com/gpu", operator = "Exists", effect = "NoSchedule" }

  deployments = [for name, worker in local.workers : {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = name, namespace = var.namespace, labels = { app = name } }
    spec = {
      replicas = worker.replicas
      selector = { matchLabels = { app = name } }
      # GPUs are few: the old pod stops before the new one starts.
      strategy = worker.gpus > 0 ? { type = "Recreate" } : null
      template = {
        metadata = { labels = { app = name } }
        spec = {
          serviceAccountName = var.kubernetes_service_account
          # How long a rollout waits for work in progress. When a Spot node is reclaimed it is 15 seconds, regardless of this.
          terminationGracePeriodSeconds = 60
          securityContext               = { runAsNonRoot = true, seccompProfile = { type = "RuntimeDefault" } }
          tolerations                   = concat([local.spot], worker.gpus > 0 ? [local.gpu] : [])
          nodeSelector                  = worker.gpus > 0 ? { pool = "gpu" } : null
          affinity = {
            nodeAffinity = {
              preferredDuringSchedulingIgnoredDuringExecution = [{
                weight     = 100
                preference = { matchExpressions = [{ key = local.spot.key, operator = "In", values = ["true"] }] }
              }]
            }
          }
          containers = [{
            name  = name
            image = var.temporal.image
            env = [for key, value in merge(local.environment, { TEMPORAL_TASK_QUEUE = worker.task_queue }) :
              { name = key, value = value }
            ]
            resources = {
              requests = { cpu = worker.cpu, memory = worker.memory }
              limits   = merge({ memory = worker.memory }, worker.gpus > 0 ? { "nvidia.com/gpu" = tostring(worker.gpus) } : {})
            }
            securityContext = { allowPrivilegeEscalation = false, capabilities = { drop = ["ALL"] } }
          }]
        }
      }
    }
  }]

  autoscalers = [for name, worker in local.workers : {
    apiVersion = "autoscaling.k8s.io/v1"
    kind       = "VerticalPodAutoscaler"
    metadata   = { name = name, namespace = var.namespace }
    spec = {
      targetRef = { apiVersion = "apps/v1", kind = "Deployment", name = name }
      # A single replica is evicted too, which by default it would not be; work on a GPU is never interrupted for it.
      updatePolicy = { updateMode = worker.gpus > 0 ? "Initial" : "Recreate", minReplicas = 1 }
      resourcePolicy = {
        containerPolicies = [{
          containerName       = name
          controlledResources = ["cpu", "memory"]
          minAllowed          = { cpu = "50m", memory = "128Mi" }
          maxAllowed          = { cpu = worker.max_cpu, memory = worker.max_memory }
        }]
      }
    }
  }]

  # Without a value there is no key: null would be one to Kubernetes.
  objects = concat(local.identity, [for deployment in local.deployments : merge(deployment, {
    spec = merge({ for key, value in deployment.spec : key => value if value != null }, {
      template = merge(deployment.spec.template, {
        spec = { for key, value in deployment.spec.template.spec : key => value if value != null }
      })
    })
  })], local.autoscalers)
}
