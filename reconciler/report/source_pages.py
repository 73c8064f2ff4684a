"""
The pages behind the short marks of the tables: `seed` and, for Salesforce, `D1` to `D40`.

The tables name a page by its mark, as the same few pages state most facts; whoever reads an answer of `explain` or the
reference is given the addresses of those marks that it uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from reconciler.platforms.base import Kind

_DOCS: Final = "https://developer.salesforce.com/docs/"
_CONNECT: Final = f"{_DOCS}atlas.en-us.chatterapi.meta/chatterapi/"
_CONNECT_260: Final = f"{_DOCS}atlas.en-us.260.0.chatterapi.meta/chatterapi/"
_CONNECT_262: Final = f"{_DOCS}atlas.en-us.262.0.chatterapi.meta/chatterapi/"
_OBJECT_260: Final = f"{_DOCS}atlas.en-us.260.0.object_reference.meta/object_reference/"
_MARK: Final = re.compile(r"\bseed\b|\bD\d{1,2}\b")

_SALESFORCE: Final[Mapping[str, str]] = {
    "seed": f"{_CONNECT_262}connect_resources_personalization_experiment_update.htm",
    "D1": f"{_CONNECT_260}connect_resources_personalization_experimentation.htm",
    "D2": f"{_CONNECT_260}connect_resources_personalization_experiment_create.htm",
    "D3": 'the page "Personalization Experiment List" of the Connect REST API guide, v67.0',
    "D6": f"{_CONNECT_262}connect_requests_personalization_experiment_experiment_input.htm",
    "D7": f"{_CONNECT_260}connect_requests_personalization_experiment_cohort_input.htm",
    "D8": 'the page "Personalization Experiment Metric Reference Input" of the Connect REST API guide, v67.0',
    "D9": f"{_CONNECT}connect_responses_personalization_experiment.htm",
    "D10": f"{_CONNECT}connect_requests_personalization_experiment_action_enum.htm",
    "D11": f"{_CONNECT}connect_requests_personalization_experiment_state_enum.htm",
    "D13": f"{_CONNECT}connect_requests_personalization_experiment_source_enum.htm",
    "D14": f"{_CONNECT}connect_requests_personalization_experiment_winner_enum.htm",
    "D15": f"{_CONNECT}connect_requests_personalization_experiment_attribute_enum.htm",
    "D16": f"{_DOCS}atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_abnexperiment.htm",
    "D17": f"{_OBJECT_260}sforce_api_objects_abnexperimentcohort.htm",
    "D18": "the field reference of AbnExperiment and AbnExperimentCohort, v67.0",
    "D19": f"{_DOCS}data/data-cloud-dmo-mapping/guide/c360dm-si-abnexperimentcohortdmo-dmo.html",
    "D20": f"{_DOCS}data/data-cloud-dmo-mapping/guide/c360dm-si-abnexperimentdmo-dmo.html",
    "D21": "https://developer.salesforce.com/docs/marketing/einstein-personalization/guide/experiment-cohort-dmo.html",
    "D22": "https://help.salesforce.com/s/articleView?id=mktg.persnl_exp_create.htm&type=5",
    "D23": "https://help.salesforce.com/s/articleView?id=mktg.persnl_exp_considerations.htm&type=5",
    "D24": "https://help.salesforce.com/s/articleView?id=mktg.persnl_basics_limits.htm&type=5",
    "D25": "https://help.salesforce.com/s/articleView?id=platform.flow_ref_elements_path_experiment.htm&type=5",
    "D40": f"{_DOCS}platform/connect-rest-api/references/connect-rest-api-personalization",
}
PAGES: Final[Mapping[str, Mapping[str, str]]] = {
    "LinkedInExperiment": {
        "seed": "https://learn.microsoft.com/en-us/linkedin/marketing/integrations/experimentation/ab-testing/ab-testing"
    },
    "SalesforceExperiment": _SALESFORCE,
}
"""By kind; X's tables write addresses out."""


def pages_of(kind: Kind, sources: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Give the marks that some sources of a kind use and what they stand for, in the order of `PAGES`."""
    known = PAGES.get(kind.name, {})
    used = {mark for source in sources for mark in _MARK.findall(source)}
    return tuple((mark, address) for mark, address in known.items() if mark in used)
