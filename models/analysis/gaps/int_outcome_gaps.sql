with

sums as (

    select * from {{ ref('int_outcome_gap_sums') }}

),

outcome_measures as (

    select * from {{ ref('outcome_measures') }}

),

program_groups as (

    select * from {{ ref('program_groups') }}

),

codes as (

    select * from {{ ref('codes') }}

),

district_years as (

    select * from {{ ref('int_district_years') }}

),

means as (

    select
        sums.*,
        total_involved / nullif(n_involved, 0) as value_involved,
        total_not_involved / nullif(n_not_involved, 0) as value_not_involved,
        total_involved / nullif(n_involved, 0)
        - total_not_involved / nullif(n_not_involved, 0) as gap,
        weighted_gaps / nullif(n_adjusted, 0) as adjusted_gap,
        n_adjusted / nullif(n_involved + n_not_involved, 0) as adjusted_coverage
    from sums

),

-- Welch (1947): the squared standard error of each mean.
standard_errors as (

    select
        {% for side in ['involved', 'not_involved'] %}
        case
            when not is_proportion and n_{{ side }} > 1
                then
                    (
                        squares_{{ side }}
                        - total_{{ side }} * total_{{ side }} / n_{{ side }}
                    )
                    / ((n_{{ side }} - 1) * n_{{ side }})
        end as error_{{ side }},
        {% endfor %}
        means.*
    from means

),

margins as (

    select
        standard_errors.*,
        sqrt(error_involved + error_not_involved)
        * {{ function('student_t_quantile') }}(
            (error_involved + error_not_involved) ^ 2
            / nullif(
                error_involved ^ 2 / (n_involved - 1)
                + error_not_involved ^ 2 / (n_not_involved - 1),
                0
            )
        ) as margin
    from standard_errors

),

-- Shares: Newcombe (1998), method 10, from Wilson intervals, without continuity
-- correction.
intervals as (

    select
        {% for bound, side in [('ci_low', -1), ('ci_high', 1)] %}
        case
            when not is_proportion then gap + {{ side }} * margin
            when least(n_involved, n_not_involved) > 0
                then {{ function('newcombe_bound') }}(
                    value_involved,
                    n_involved,
                    value_not_involved,
                    n_not_involved,
                    {{ side }}
                )
        end as {{ bound }},
        {% endfor %}
        margins.*
    from margins

),

gaps as (

    select
        intervals.school_year,
        district_years.known_through,
        district_years.is_complete_year,
        intervals.district_id,
        intervals.group_type,
        intervals.group_value,
        coalesce(codes.label, intervals.group_value) as group_label,
        intervals.program_group,
        coalesce(program_groups.program_group_label, 'Any program')
            as program_group_label,
        intervals.involvement,
        intervals.measure,
        outcome_measures.measure_label,
        intervals.n_involved::bigint as n_involved,
        intervals.n_not_involved::bigint as n_not_involved,
        intervals.value_involved::double precision as value_involved,
        intervals.value_not_involved::double precision as value_not_involved,
        intervals.gap::double precision as gap,
        intervals.ci_low,
        intervals.ci_high,
        intervals.adjusted_gap::double precision as adjusted_gap,
        intervals.adjusted_coverage::double precision as adjusted_coverage,
        intervals.n_adjusted::bigint as n_adjusted,
        intervals.is_proportion,
        intervals.total_involved,
        intervals.total_not_involved,
        intervals.n_involved_key,
        intervals.total_involved_key,
        intervals.n_not_involved_key,
        intervals.total_not_involved_key,
        intervals.n_left_out_key
    from intervals
    left join outcome_measures using (measure)
    left join program_groups using (program_group)
    left join codes
        on intervals.group_type = codes.domain and intervals.group_value = codes.code
    left join district_years using (district_id, school_year)

)

select * from gaps
