"""Faults that need more than one request or one process, each with its test; and what is not covered, and why."""

from __future__ import annotations

from typing import NamedTuple


class Elsewhere(NamedTuple):
    """A fault that has a test of its own: what happens, where, what comes of it, and the test (file and function)."""

    what: str
    where: str
    outcome: str
    test: str


ELSEWHERE: tuple[Elsewhere, ...] = (
    Elsewhere(
        "a page that changes while it is paged",
        "LinkedIn: search for adoption, `drift --unmanaged`, `import --all`",
        "offsets shift when an experiment goes away: each page overlaps the one before by one, and where that does not "
        "fit the list is read again, up to five times; then the plan is incomplete and nothing is sent",
        "conformance/test_paging.py::test_a_draft_behind_a_shifted_page_is_adopted_never_created_again",
    ),
    Elsewhere(
        "a list that never stands still",
        "LinkedIn: plan, apply",
        "the plan is incomplete, exit code 1, no create is sent",
        "conformance/test_paging.py::test_a_list_that_changes_all_the_time_makes_the_plan_incomplete",
    ),
    Elsewhere(
        "tests deleted while they are paged",
        "X Ads",
        "a cursor is no offset and deleted tests stay in the list: nothing shifts",
        "conformance/test_paging.py::test_x_keeps_its_place_by_cursor_and_shows_deleted_tests",
    ),
    Elsewhere(
        "any read that makes no sense: 403, a login page, other JSON, a redirect",
        "all: plan, apply, drift",
        "unknown, never gone: exit code 1, nothing is created anew or ended because of it",
        "conformance/test_faults.py::test_what_cannot_be_read_is_unknown_never_gone",
    ),
    Elsewhere(
        "both calls of a replacement lose their answers",
        "all: apply",
        "one old one ended, one new one there, after three runs at most",
        "conformance/test_faults.py::test_a_replace_whose_answers_are_lost",
    ),
    Elsewhere(
        "the daily quota of the org is used up",
        "Salesforce: apply",
        "the run ends and lists what was not tried; the next one goes on",
        "conformance/test_faults.py::test_salesforce_daily_quota_ends_the_run",
    ),
    Elsewhere(
        "an access token that ends in the middle, with a refresh token",
        "LinkedIn: apply",
        "one new token, the call once more",
        "conformance/test_faults.py::test_linkedin_token_that_ends_in_the_middle",
    ),
    Elsewhere(
        "a person edits between plan and apply",
        "all: apply of a saved plan",
        "refused as stale, nothing is sent",
        "conformance/test_meddling.py::test_an_edit_between_plan_and_apply",
    ),
    Elsewhere(
        "a person edits another field between the read and the write",
        "all: apply",
        "the edit stands and is told; drift and plan show it",
        "conformance/test_meddling.py::test_an_edit_of_another_field_between_the_read_and_the_write",
    ),
    Elsewhere(
        "a person edits the same field between the read and the write",
        "all: apply",
        "the last write wins, and nothing tells (LinkedIn: where it says WRITE_CONFLICT, the change is stale)",
        "conformance/test_meddling.py::test_an_edit_of_the_same_field_between_the_read_and_the_write",
    ),
    Elsewhere(
        "the experiment is taken away between the read and the write",
        "all: apply",
        "refused; the next plan creates it anew and says why",
        "conformance/test_meddling.py::test_taken_away_between_the_read_and_the_write",
    ),
    Elsewhere(
        "a merge between plan and apply",
        "all: apply of a saved plan",
        "carried out as saved; the next plan has what was merged",
        "conformance/test_meddling.py::test_a_merge_between_plan_and_apply",
    ),
    Elsewhere(
        "two applies at once, as processes; state in a file, on a git ref, in a bucket",
        "apply, plan, drift",
        "the second fails at once and names the first; readers are told; with `--lock-timeout` it waits, and finds all "
        "done",
        "integration/test_two_at_once.py::test_the_second_apply_says_who_is_at_work_and_changes_nothing",
    ),
    Elsewhere(
        "an apply killed while another waits",
        "apply; file, git, bucket",
        "the one that waits goes on, and makes nothing twice",
        "integration/test_two_at_once.py::test_an_apply_killed_while_another_waits",
    ),
    Elsewhere(
        "a lock left by a machine that is gone",
        "apply; git, bucket",
        "it is named with its CI run; `reconciler state unlock --force`, or its expiry, frees it",
        "integration/test_two_at_once.py::test_the_lock_of_another_machine_is_freed_by_hand",
    ),
    Elsewhere(
        "a token endpoint or a bucket that never answers",
        "all",
        "an error when the deadline is over",
        "platforms/test_deadlines.py::test_a_bucket_that_never_answers",
    ),
    Elsewhere(
        "a git server that never answers",
        "state on a git ref",
        "the command is ended when the deadline is over",
        "state/test_git_store.py::test_a_server_that_never_answers",
    ),
)

NOT_COVERED: tuple[tuple[str, str], ...] = (
    (
        "the platforms themselves",
        "every test runs against the emulator and recorded samples: no account of a real platform was available; where "
        "a platform's page is silent, the emulator is an assumption",
    ),
    (
        "an edit of the same field between our read and our write",
        "it is overwritten and cannot be noticed: no platform has a version, an ETag or a precondition",
    ),
    (
        "Google Cloud Storage and Azure Blob Storage",
        "no server of theirs can be started in the tests; the same code is tested against a server of the S3 protocol "
        "and the library's own store in memory",
    ),
    (
        "plan and drift that read a lagging copy",
        "they show what the copy shows; apply reads again before each change and sends nothing that has been done",
    ),
    (
        "a cursor of X that skips",
        "the cursor is opaque; X refuses a second test on the same entities, so that the worst is a refused create",
    ),
    (
        "loss of power, full disks, file systems without fsync",
        "the file's writes are synced and replaced atomically; only the death of the process is tried",
    ),
    (
        "fuzzing inside libraries",
        "coverage guides by the tool's own code; libyaml, pydantic's core and the HTTP stack are not watched",
    ),
    (
        "mutation of the rest of the code",
        "planning and the rule tables are changed, a sample of all changes; apply, state, clients, reports, "
        "and the command line are not",
    ),
)
