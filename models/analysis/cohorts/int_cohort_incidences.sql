with

members as (

    select * from {{ ref('int_cohort_members') }}

),

-- People with an earlier record are excluded: a first record cannot follow it.
grouped as (

    select
        members.base_year,
        groups.group_type,
        groups.group_value,
        members.days_observed,
        members.outcome
    from members
    cross join
        lateral (
            values
            ('all', 'all'),
            ('district', members.district_id),
            ('grade', members.grade::text),
            ('gender', members.gender),
            ('race', members.race::text),
            ('economic_status', members.economic_status),
            (
                'involvement',
                case members.was_involved
                    when true then 'involved' when false then 'not involved'
                end
            )
        ) as groups (group_type, group_value)
    where
        not members.had_juvenile_justice_before
        and groups.group_value is not null

),

days as (

    select
        base_year,
        group_type,
        group_value,
        days_observed,
        count(*) as n_ended,
        count(*) filter (where outcome = 'juvenile_justice') as n_events,
        count(*) filter (where outcome = 'graduated') as n_graduated
    from grouped
    group by base_year, group_type, group_value, days_observed

),

-- The risk set of a day includes those whose follow-up ends on it.
risk_sets as (

    select
        *,
        sum(n_ended) over (
            partition by base_year, group_type, group_value
            order by days_observed desc
        )::float8 as n_at_risk
    from days

),

-- Share still without the event before the day: a product, computed with logarithms. A
-- factor of 0 can occur only on the last day, after which no row follows.
survivals as (

    select
        *,
        coalesce(
            exp(
                sum(ln(nullif(1 - (n_events + n_graduated) / n_at_risk, 0))) over (
                    partition by base_year, group_type, group_value
                    order by days_observed
                    rows between unbounded preceding and 1 preceding
                )
            ),
            1
        ) as survival_before
    from risk_sets

),

-- Aalen-Johansen estimator (Aalen and Johansen 1978).
incidences as (

    select
        base_year,
        group_type,
        group_value,
        days_observed,
        n_ended,
        n_events,
        n_at_risk::integer as n_at_risk,
        sum(survival_before * n_events / n_at_risk) over (
            partition by base_year, group_type, group_value
            order by days_observed
        ) as cumulative_incidence
    from survivals

)

select * from incidences
