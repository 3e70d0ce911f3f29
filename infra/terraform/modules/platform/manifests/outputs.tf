output "manifest" {
  description = "All objects as YAML, for `kubectl apply -f -`."
  value       = join("---\n", [for object in local.objects : yamlencode(object)])
}
