#!/usr/bin/env bash
# Plan, apply and look for drift wherever bash runs: another CI, a cron job, a laptop.
#
#   experiments.sh plan     validates and plans; leaves plan.json, plan.html and plan.md in $REPORTS
#   experiments.sh apply    carries out that plan.json, unless something was applied since
#   experiments.sh drift    leaves drift.json, drift.html and drift.xml (JUnit) in $REPORTS
#
# Exit codes are those of reconciler: 0 done, 1 an error, 2 drift, 3 something is blocked.
#
#   PROJECT      the folder of reconciler.yaml (default: this one)
#   ENVIRONMENT  the environment of the project file (default: none)
#   REPORTS      where reports go (default: reports in the working directory)
#   RECONCILER_PLAN_KEY   signs the plan, where it travels between plan and apply
set -euo pipefail

reports=${REPORTS:-$PWD/reports}
mkdir -p "$reports"
reports=$(cd "$reports" && pwd)
cd "${PROJECT:-.}"
global=()
if [ -n "${ENVIRONMENT:-}" ]; then global=(--env "$ENVIRONMENT"); fi

case ${1:-} in
  plan)
    rm -f "$reports"/plan.*
    reconciler "${global[@]}" validate
    reconciler "${global[@]}" plan --out "$reports/plan.json" --also "html=$reports/plan.html" --also "markdown=$reports/plan.md"
    ;;
  apply)
    reconciler "${global[@]}" apply --same-state --lock-timeout 600 "$reports/plan.json"
    mv "$reports/plan.json" "$reports/plan.applied.json"
    ;;
  drift)
    rm -f "$reports"/drift.*
    reconciler "${global[@]}" drift --also "json=$reports/drift.json" --also "html=$reports/drift.html" \
      --also "junit=$reports/drift.xml"
    ;;
  *)
    echo "usage: experiments.sh plan|apply|drift" >&2
    exit 1
    ;;
esac
