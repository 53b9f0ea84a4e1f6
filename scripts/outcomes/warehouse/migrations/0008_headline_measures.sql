-- The seed is a column of policy.outcome_measures.
drop table if exists policy.headline_figures;
