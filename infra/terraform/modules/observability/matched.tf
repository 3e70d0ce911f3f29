# What is matched in the log itself, so that the notification comes within minutes and names the line.

locals {
  # Every kind of alert that has a policy of its own. The others are reported too: `alerts` and `refusals` below.
  known = "stock_out|no_data|overdue|secret_missing|rotation_failed|not_taken_back|retirement_owed|version_unusable|unreadable|stale_newest|no_bucket|empty_policy|unknown_names|misdated|future_backups|small_newest|unproved_newest|too_many_deletes|below_floor|name_taken|lost_access|repository_renamed|budget_missing|budget_period_ended|budget_silent|matches_nothing|spend_cap_enforced|spend_cap_deleted|spend_cap_changed|held_without_settings|held_while_observing|held_unreadable|scaling_mode_changed"

  matched = {
    money = {
      title    = "a change that matters to the bill has failed"
      filter   = "${local.reports} AND jsonPayload.report.failed_money>0"
      severity = "CRITICAL"
      content  = "A change that was to save money did not succeed, and is tried again with every tick. `jsonPayload.report.changes` with `outcome=\"failed\"` says which and why: a missing permission (`./deploy.sh doctor`), or a resource in the middle of something. Until it succeeds, do by hand what it was to do."
    }
    stock_out = {
      title    = "GPU nodes were requested and do not arrive"
      filter   = "${local.reports} AND jsonPayload.report.alerts.kind=\"stock_out\""
      severity = "ERROR"
      content  = "A pool has been without the nodes that it was asked for: Google has none of that kind there, or the quota is spent; `jsonPayload.report.alerts.reason` says which. The request stands. Look at the quota, or run the work in another zone or on another kind of GPU."
    }
    no_data = {
      title    = "a GPU pool is kept on by a signal without data"
      filter   = "${local.reports} AND jsonPayload.report.alerts.kind=\"no_data\""
      severity = "WARNING"
      content  = "A signal has had no data for an hour, which is not taken for idle, so the pool stays on and costs. Is the metric still written, the subscription still there? Mend it, or take the signal out of caretaker.yaml."
    }
    overdue = {
      title    = "a secret is overdue"
      filter   = "${local.reports} AND jsonPayload.report.alerts.kind=\"overdue\""
      severity = "ERROR"
      content  = "A secret is older than `every_days` and `overdue_after_days` allow. The reports of rotate_secrets say what holds it up: a guard, a maintenance window that never opens, a rotation that was rolled back, `mode: observe`. Fix that, then `./deploy.sh send rotate_secrets rotate --secret KEY`."
    }
    rotation = {
      title    = "a rotation did not go as planned"
      filter   = "${local.reports} AND jsonPayload.report.alerts.kind=~\"^(secret_missing|rotation_failed|not_taken_back|retirement_owed|version_unusable|unreadable)$\""
      severity = "ERROR"
      content  = "`rotation_failed`: it was rolled back to the old value; fix what the reason names; it is tried again a day later. `not_taken_back`: a service is not ready on the old version either; look at its revisions. `retirement_owed`: something still uses the previous version; move it. `version_unusable`: a version is disabled, or the database does not accept it; add one that works. `secret_missing`: create it, or remove it from caretaker.yaml. `unreadable`: what a rotation depends on cannot be read; run `./deploy.sh doctor`."
    }
    stale_backup = {
      title    = "there are no new backups"
      filter   = "${local.reports} AND jsonPayload.report.alerts.kind=~\"^(stale_newest|no_bucket)$\""
      severity = "ERROR"
      content  = "The newest backup of a set is older than `fresh_within`, or there is none, or no bucket. Look why the job that takes backups does not run or fails, and take one now. Nothing of the set is deleted meanwhile."
    }
    refused_prune = {
      title    = "pruning backups was refused"
      filter   = "${local.reports} AND jsonPayload.report.alerts.kind=~\"^(empty_policy|unknown_names|misdated|future_backups|small_newest|unproved_newest|too_many_deletes|below_floor)$\""
      severity = "ERROR"
      content  = "Deleting backups of a set would have been unsafe, so none was deleted: `jsonPayload.report.refusals` has the guard and its numbers. `small_newest` or `unproved_newest`: the newest backup is no good; take another and prove it. `too_many_deletes`, `below_floor`, `empty_policy`, `unknown_names`: compare the set's retention and names in caretaker.yaml with the bucket. `misdated`: objects are not as old as their names say; find out who wrote them. `future_backups`: a clock is wrong."
    }
    previews = {
      title    = "previews lack something that a person must give"
      filter   = "${local.reports} AND jsonPayload.report.alerts.kind=~\"^(name_taken|lost_access|repository_renamed)$\""
      severity = "WARNING"
      content  = "`name_taken`: a Cloud Run service that is not ours has the preview's name; rename one of them. `lost_access`: GitHub does not let us see the repository any more; give the app or the token its access back, or take the repository out of caretaker.yaml. `repository_renamed`: write its new name into caretaker.yaml."
    }
    budget_missing = {
      title    = "a budget does not notify any more"
      filter   = "${local.reports} AND jsonPayload.report.alerts.kind=~\"^(budget_missing|budget_period_ended|budget_silent)$\""
      severity = "ERROR"
      content  = "What the budget has in force stays in force until `./deploy.sh send cap_spending undo`, and nothing caps the spending that it counts. `budget_missing`: it was deleted; create it again, or take it out of caretaker.yaml. `budget_period_ended`: its custom period is over; give it a new one. `budget_silent`: no notification for two days; `./deploy.sh doctor` checks its topic."
    }
    spend_caps = {
      title    = "a spend cap pauses usage, or was changed by hand"
      filter   = "${local.reports} AND jsonPayload.report.alerts.kind=~\"^(spend_cap_enforced|spend_cap_deleted|spend_cap_changed)$\""
      severity = "WARNING"
      content  = "`spend_cap_enforced`: Google has paused a service in a project until the next month; `./deploy.sh send cap_spending lift --cap KEY` lifts the cap. `spend_cap_deleted`, `spend_cap_changed`: a person has changed one of Caretaker's caps; `arm --cap KEY` makes it what the settings say again."
    }
    budget_settings = {
      title    = "the settings of a budget match no resource"
      filter   = "${local.reports} AND jsonPayload.report.alerts.kind=\"matches_nothing\""
      severity = "ERROR"
      content  = "`matches_nothing`: a name in an action of cap_spending matches no resource, so the action will save nothing; correct the name in caretaker.yaml."
    }
    held = {
      title    = "something stays changed until a person acts"
      filter   = "${local.reports} AND jsonPayload.report.alerts.kind=~\"^(held_without_settings|held_while_observing|held_unreadable|scaling_mode_changed)$\""
      severity = "ERROR"
      content  = "`jsonPayload.report.alerts.reason` names the original and the command that restores it. `held_without_settings`: no setting names it any more. `held_while_observing`: it was changed before `mode` became observe. `held_unreadable`: it cannot be read, perhaps because a permission was withdrawn; run `./deploy.sh doctor`. `scaling_mode_changed`: a person changed how a GPU pool's service scales."
    }
    # Alerts without a policy of their own: a new kind of alert is never silent.
    alerts = {
      title    = "something that a person must see"
      filter   = "${local.reports} AND jsonPayload.report.alerts.kind:* AND NOT jsonPayload.report.alerts.kind=~\"^(${local.known})$\""
      severity = "ERROR"
      content  = "`jsonPayload.report.alerts` says what (`kind`), of what (`subject`), and why (`reason`); the automation's README what it means."
    }
    refusals = {
      title    = "a guard has refused"
      filter   = "${local.reports} AND jsonPayload.report.refusals.guard:* AND NOT jsonPayload.report.refusals.guard=~\"^(${local.known})$\""
      severity = "WARNING"
      content  = "Something was not done, as it would have been unsafe: `jsonPayload.report.refusals` says what, by which guard, and why. Nothing of that subject goes on until the reason is gone; fix it, and the next tick checks again."
    }
    budget = {
      title    = "a rung of a budget is passed"
      filter   = "${local.functions} AND jsonPayload.budget_alert.rung:*"
      severity = "WARNING"
      content  = "The action `notify` of the rung in `jsonPayload.budget_alert`: cost has passed it. `./deploy.sh status` says what is in force now; `./deploy.sh send cap_spending snooze --until TIME` holds the ladder back, a raised budget lets go by itself."
    }
    webhooks = {
      title    = "a webhook was not published"
      filter   = "${local.functions} AND jsonPayload.webhook.outcome=\"not published\""
      severity = "ERROR"
      content  = "GitHub never sends a webhook again by itself: redeliver it there (Settings > Webhooks > Recent deliveries)."
    }
  }
}

resource "google_monitoring_alert_policy" "matched" {
  for_each = local.matched

  project               = var.project_id
  display_name          = "Caretaker: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = each.value.title

    condition_matched_log {
      filter = each.value.filter
    }
  }

  # It is said on each run for as long as it is so: once an hour is enough.
  alert_strategy {
    auto_close = "86400s"

    notification_rate_limit {
      period = "3600s"
    }
  }

  documentation {
    content   = each.value.content
    mime_type = "text/markdown"
  }
}
