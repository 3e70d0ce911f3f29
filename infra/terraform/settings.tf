# Each function is given its own section of the owner's settings, and what the deployment puts in.

locals {
  ladders = try(var.settings.cap_spending.budgets, {})
  rotated = try(var.settings.rotate_secrets.secrets, {})

  # For each spending restriction, the inboxes of the automations that obey it.
  wake = {
    for restriction in toset(flatten([for entry in local.deployed : lookup(entry, "obeys", [])])) : restriction => [
      for name, entry in local.deployed : "projects/${var.project_id}/topics/${local.inboxes[name]}"
      if contains(lookup(entry, "obeys", []), restriction)
    ]
  }

  put_in = {
    cap_spending = {
      wake = local.wake
      budgets = {
        for key, budget in local.ladders : key => merge(budget, contains(keys(var.budgets), key) ? { id = module.budget.ids[key] } : {})
      }
    }
  }

  settings = {
    for name in keys(local.deployed) : name => {
      mode   = try(var.settings.mode, "observe")
      (name) = merge(var.settings[name], lookup(local.put_in, name, {}))
    }
  }
}
