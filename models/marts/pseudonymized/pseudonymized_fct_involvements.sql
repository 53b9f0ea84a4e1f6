-- The day of a placement is known to too many.
{{ pseudonymized(
    ref('fct_involvements'),
    {
        'started_on': "cast(date_trunc('month', facts.started_on) as date)",
        'ended_on': "cast(date_trunc('month', facts.ended_on) as date)",
    }
) }}
