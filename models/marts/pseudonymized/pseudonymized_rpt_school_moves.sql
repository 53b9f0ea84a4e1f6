{{ pseudonymized(ref('rpt_school_moves')) }}
