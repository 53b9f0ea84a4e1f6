with

strata as (

    select * from {{ ref('int_outcome_gap_strata') }}
    where program_group = 'all_students' and group_type = 'all' and not is_proportion

),

outcome_measures as (

    select * from {{ ref('outcome_measures') }}

),

deviations as (

    select
        measure,
        sqrt(sum(squares) / sum(n) - (sum(total) / sum(n)) ^ 2) as exact_deviation
    from strata
    group by measure

),

-- Rounded, so that no single student can be seen in it.
rounded_deviations as (

    select
        measure,
        greatest(
            round(deviations.exact_deviation, outcome_measures.decimals - 1),
            round(
                power(10.0, 1 - outcome_measures.decimals),
                outcome_measures.decimals - 1
            )
        ) as standard_deviation
    from deviations
    inner join outcome_measures using (measure)

)

select * from rounded_deviations
