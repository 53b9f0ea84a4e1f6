{{ pseudonymized(ref('fct_intervention_spells')) }}
