"""
The three platforms on loopback: LinkedIn adExperiments, X Ads ab_tests, Salesforce abn-experiments.

Written from the platforms' own pages and apart from the planner: nothing here imports the planner's rules, models or
wire code, so that a rule misread on one side shows up as a refusal instead of being wrong twice.
"""
