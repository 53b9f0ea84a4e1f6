{{ pseudonymized(ref('rpt_absence_risks')) }}
