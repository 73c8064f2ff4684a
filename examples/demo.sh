#!/usr/bin/env bash
# The demo: experiments on LinkedIn, X and Salesforce from a manifest to drift and back, against the embedded platforms.
# Runs in a folder of its own and needs no account. Stops at once when a command does not end as it should.
#
#   RECONCILER  the command to run (default: reconciler)
#   DEMO_DIR    the folder to work in, made anew (default: a temporary one, removed at the end)
set -euo pipefail

reconciler=${RECONCILER:-reconciler}
unset LINKEDIN_ACCESS_TOKEN X_ACCESS_TOKEN SF_CLIENT_SECRET

if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
  bold=$'\e[1m' cyan=$'\e[1;36m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
  bold='' cyan='' dim='' red='' green='' plain=''
fi

if [[ -n ${DEMO_DIR:-} ]]; then
  folder=$DEMO_DIR
  [[ ! -e $folder ]] || { echo "demo: $folder exists already" >&2; exit 1; }
  mkdir -p "$folder"
else
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
fi
cd "$folder"

chapter=0
chapter() { # TITLE
  chapter=$((chapter + 1))
  printf '\n\n%s%d. %s%s\n' "$cyan" "$chapter" "$1" "$plain"
}

tell() { printf '%s\n' "$@"; }

# Show a command, run it, and see that it exits as expected: run [EXIT CODE] reconciler …
run() {
  local expected=0 code=0
  if [[ $1 =~ ^[0-9]+$ ]]; then expected=$1 && shift; fi
  local shown="reconciler" word
  for word in "${@:2}"; do
    if [[ $word == *[\ \'\"]* ]]; then shown+=" '$word'"; else shown+=" $word"; fi
  done
  printf '\n%s$ %s%s\n' "$bold" "$shown" "$plain"
  "$reconciler" "${@:2}" 2>&1 || code=$?
  if ((expected)); then printf '%s(exit code %d)%s\n' "$dim" "$code" "$plain"; fi
  if ((code != expected)); then
    printf 'demo: exit code %d was expected, and it was %d\n' "$expected" "$code" >&2
    exit 1
  fi
}

# Change one line of a manifest and show what was changed: edit FILE OLD NEW
edit() {
  local text old=$2 new=$3
  text=$(<"$1")
  [[ $text == *"$old"* ]] || { echo "demo: $1 does not hold $old" >&2; exit 1; }
  printf '%s\n' "${text%%"$old"*}$new${text#*"$old"}" >"$1"
  printf '\n%s%s%s\n%s  - %s%s\n%s  + %s%s\n' "$bold" "$1" "$plain" "$red" "$2" "$plain" "$green" "$3" "$plain"
}

id_of() { # KEY
  "$reconciler" state list 2>/dev/null | while read -r key _ id _; do
    if [[ $key == "$1" ]]; then echo "$id"; fi
  done
}

tell "${bold}reconciler: experiments as code.${plain}" \
  "You keep A/B tests as YAML in git; it makes LinkedIn, X and Salesforce match." \
  "Everything below is real output. The platforms are emulated on this machine, over real HTTP: no account is needed."

chapter "A project"
run reconciler init
tell "" "One of its three experiments, experiments/x/creative-test.yaml:" ""
sed 's/^/  /' experiments/x/creative-test.yaml
run reconciler validate

chapter "A plan: what would change, and every call that would be sent"
run reconciler plan --emulator --out plan.json

chapter "Apply: exactly the plan that was shown"
run reconciler apply --emulator plan.json
run reconciler state list
tell "" "And now there is nothing left to do:"
run reconciler plan --emulator

chapter "A change on each platform"
edit experiments/linkedin/headline-test.yaml "confidence: 90" "confidence: 95"
edit experiments/x/creative-test.yaml "name: Creative, photo or drawing" "name: Creative, photo against drawing"
edit experiments/salesforce/hero-test.yaml "label: Hero, short or long" "label: Hero, short against long"
run reconciler plan --emulator --out plan.json
run reconciler apply --emulator plan.json
run reconciler drift --emulator

chapter "Somebody changes all three by hand, on the platforms' own pages"
run reconciler emulator edit linkedin "$(id_of LinkedInExperiment/headline-test)" confidence=70
run reconciler emulator edit x-ads "$(id_of XAdsABTest/creative-test)" name="Quick test, do not touch"
run reconciler emulator edit salesforce "$(id_of SalesforceExperiment/hero-test)" label="Hero (Bob)"
tell "" "Drift finds it, and says so in its exit code:"
run 2 reconciler drift --emulator
tell "" "Git is what counts, so an apply brings them back:"
run reconciler apply --emulator --auto-approve
run reconciler drift --emulator

chapter "Eight days pass, and the tests begin"
run reconciler emulator clock +8d
tell "" "A test that begins on its day is progress, not drift:"
run reconciler drift --emulator

chapter "What was harmless last week would spoil a running test now"
edit experiments/x/creative-test.yaml "entity_ids: [c1002]" "entity_ids: [c1003]"
tell "" "X refuses another campaign once a test runs. The plan knows it before anything is sent:"
run 3 reconciler plan --emulator
tell "" "So take it back, and let the test run for some hours more, which X allows:"
edit experiments/x/creative-test.yaml "entity_ids: [c1003]" "entity_ids: [c1002]"
end=$(sed -n 's/^ *end_time: //p' experiments/x/creative-test.yaml)
edit experiments/x/creative-test.yaml "end_time: $end" "end_time: ${end/T09/T18}"
run reconciler apply --emulator --auto-approve
run reconciler drift --emulator

chapter "The end"
tell "Make a project of your own:    .venv/bin/reconciler init my-experiments" \
  "Read on:                       README.md, examples/"
