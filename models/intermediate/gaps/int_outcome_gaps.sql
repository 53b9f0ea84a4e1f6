with

strata as (

    select * from {{ ref('int_outcome_gap_strata') }}

),

coverage as (

    select * from {{ ref('int_involvement_coverage') }}

),

student_t_coefficients as (

    select * from {{ ref('student_t_coefficients') }}

),

definitions as (

    select
        coverage.school_year,
        coverage.program_group,
        definitions.involvement,
        definitions.is_covered
    from coverage
    cross join
        lateral (
            values
            ('ever', coverage.is_ever_covered),
            ('prior_year', coverage.is_prior_year_covered),
            ('concurrent', coverage.is_concurrent_covered)
        ) as definitions (involvement, is_covered)

),

compared_definitions as (

    select * from definitions
    union all
    select
        school_year,
        'any' as program_group,
        involvement,
        bool_or(is_covered) as is_covered
    from definitions
    group by school_year, involvement

),

everybody as (

    select * from strata
    where program_group = 'everybody'

),

-- Where a source covers the dates, everybody else is not involved; elsewhere nobody is.
-- Direct standardization: a stratum has the weight of all its students. A stratum
-- without both kinds has no gap, so it has no weight.
involved as (

    select
        strata.*,
        case
            when compared_definitions.is_covered and strata.n < everybody.n
                then everybody.n
        end as weight,
        everybody.n_key as weight_key,
        strata.total / strata.n
        - (everybody.total - strata.total) / nullif(everybody.n - strata.n, 0) as gap
    from strata
    inner join everybody
        on
            strata.school_year = everybody.school_year
            and strata.district_id = everybody.district_id
            and strata.grade = everybody.grade
            and strata.economic_status = everybody.economic_status
            and strata.group_type = everybody.group_type
            and strata.group_value = everybody.group_value
            and strata.measure = everybody.measure
    inner join compared_definitions
        on
            strata.school_year = compared_definitions.school_year
            and strata.program_group = compared_definitions.program_group
            and strata.involvement = compared_definitions.involvement

),

-- A student-year counts for its district and for `all`. A school has no row of `all`.
totals as (

    select
        everybody.school_year,
        districts.district_id,
        everybody.group_type,
        everybody.group_value,
        everybody.measure,
        everybody.is_proportion,
        sum(everybody.n) as n,
        sum(everybody.total) as total,
        sum(everybody.squares) as squares,
        sum(everybody.n_key) as n_key,
        sum(everybody.total_key) as total_key
    from everybody
    cross join
        lateral (
            values (everybody.district_id), ('all')
        ) as districts (district_id)
    where everybody.group_type <> 'school' or districts.district_id <> 'all'
    group by
        everybody.school_year,
        districts.district_id,
        everybody.group_type,
        everybody.group_value,
        everybody.measure,
        everybody.is_proportion

),

involved_totals as (

    select
        involved.school_year,
        districts.district_id,
        involved.group_type,
        involved.group_value,
        involved.program_group,
        involved.involvement,
        involved.measure,
        sum(involved.n) as n,
        sum(involved.total) as total,
        sum(involved.squares) as squares,
        sum(involved.n_key) as n_key,
        sum(involved.total_key) as total_key,
        sum(involved.weight) as n_adjusted,
        sum(involved.weight_key) filter (where involved.weight is not null)
            as n_adjusted_key,
        sum(involved.weight * involved.gap) as weighted_gaps
    from involved
    cross join
        lateral (
            values (involved.district_id), ('all')
        ) as districts (district_id)
    where involved.group_type <> 'school' or districts.district_id <> 'all'
    group by
        involved.school_year,
        districts.district_id,
        involved.group_type,
        involved.group_value,
        involved.program_group,
        involved.involvement,
        involved.measure

),

compared as (

    select
        totals.school_year,
        totals.district_id,
        totals.group_type,
        totals.group_value,
        compared_definitions.program_group,
        compared_definitions.involvement,
        totals.measure,
        totals.is_proportion,
        coalesce(involved_totals.n, 0) as n_involved,
        coalesce(involved_totals.total, 0) as total_involved,
        coalesce(involved_totals.squares, 0) as squares_involved,
        case
            when compared_definitions.is_covered
                then totals.n - coalesce(involved_totals.n, 0)
            else 0
        end as n_not_involved,
        totals.total - coalesce(involved_totals.total, 0) as total_not_involved,
        totals.squares - coalesce(involved_totals.squares, 0) as squares_not_involved,
        coalesce(involved_totals.n_key, 0) as n_involved_key,
        coalesce(involved_totals.total_key, 0) as total_involved_key,
        totals.n_key - coalesce(involved_totals.n_key, 0) as n_not_involved_key,
        totals.total_key - coalesce(involved_totals.total_key, 0)
            as total_not_involved_key,
        totals.n_key - coalesce(involved_totals.n_adjusted_key, 0) as n_left_out_key,
        coalesce(involved_totals.n_adjusted, 0) as n_adjusted,
        involved_totals.weighted_gaps
    from totals
    inner join compared_definitions
        on totals.school_year = compared_definitions.school_year
    left join involved_totals
        on
            totals.school_year = involved_totals.school_year
            and totals.district_id = involved_totals.district_id
            and totals.group_type = involved_totals.group_type
            and totals.group_value = involved_totals.group_value
            and totals.measure = involved_totals.measure
            and compared_definitions.program_group = involved_totals.program_group
            and compared_definitions.involvement = involved_totals.involvement

),

means as (

    select
        compared.*,
        total_involved / nullif(n_involved, 0) as value_involved,
        total_not_involved / nullif(n_not_involved, 0) as value_not_involved,
        total_involved / nullif(n_involved, 0)
        - total_not_involved / nullif(n_not_involved, 0) as gap,
        weighted_gaps / nullif(n_adjusted, 0) as adjusted_gap,
        n_adjusted / nullif(n_involved + n_not_involved, 0) as adjusted_coverage
    from compared

),

-- Newcombe (1998), method 10: from Wilson intervals, without continuity correction.
proportions as (

    select
        school_year,
        district_id,
        group_type,
        group_value,
        program_group,
        involvement,
        measure,
        {{ function('newcombe_bound') }}(
            value_involved, n_involved, value_not_involved, n_not_involved, -1
        ) as ci_low,
        {{ function('newcombe_bound') }}(
            value_involved, n_involved, value_not_involved, n_not_involved, 1
        ) as ci_high
    from means
    where is_proportion and n_involved > 0 and n_not_involved > 0

),

-- Welch (1947): the squared standard error of each mean, and the degrees of freedom.
standard_errors as (

    select
        means.*,
        (squares_involved - total_involved * total_involved / n_involved)
        / ((n_involved - 1) * n_involved) as error_involved,
        (
            squares_not_involved
            - total_not_involved * total_not_involved / n_not_involved
        )
        / ((n_not_involved - 1) * n_not_involved) as error_not_involved
    from means
    where not is_proportion and n_involved > 1 and n_not_involved > 1

),

degrees_of_freedom as (

    select
        standard_errors.*,
        sqrt(error_involved + error_not_involved) as standard_error,
        (error_involved + error_not_involved) ^ 2
        / nullif(
            error_involved ^ 2 / (n_involved - 1)
            + error_not_involved ^ 2 / (n_not_involved - 1),
            0
        ) as df
    from standard_errors

),

t_quantiles as (

    select
        degrees_of_freedom.df,
        exp(
            sum(
                student_t_coefficients.coefficient
                * cos(
                    student_t_coefficients.degree
                    * acos(2 / degrees_of_freedom.df::float8 - 1)
                )
            )
        ) as quantile
    from (select distinct df from degrees_of_freedom) as degrees_of_freedom
    cross join student_t_coefficients
    where degrees_of_freedom.df is not null
    group by degrees_of_freedom.df

),

mean_differences as (

    select
        degrees_of_freedom.school_year,
        degrees_of_freedom.district_id,
        degrees_of_freedom.group_type,
        degrees_of_freedom.group_value,
        degrees_of_freedom.program_group,
        degrees_of_freedom.involvement,
        degrees_of_freedom.measure,
        degrees_of_freedom.gap
        - t_quantiles.quantile * degrees_of_freedom.standard_error as ci_low,
        degrees_of_freedom.gap
        + t_quantiles.quantile * degrees_of_freedom.standard_error as ci_high
    from degrees_of_freedom
    inner join t_quantiles on degrees_of_freedom.df = t_quantiles.df

),

intervals as (

    select * from proportions
    union all
    select * from mean_differences

),

gaps as (

    select
        means.school_year,
        means.district_id,
        means.group_type,
        means.group_value,
        means.program_group,
        means.involvement,
        means.measure,
        means.n_involved::bigint as n_involved,
        means.n_not_involved::bigint as n_not_involved,
        means.value_involved::double precision as value_involved,
        means.value_not_involved::double precision as value_not_involved,
        means.gap::double precision as gap,
        intervals.ci_low,
        intervals.ci_high,
        means.adjusted_gap::double precision as adjusted_gap,
        means.adjusted_coverage::double precision as adjusted_coverage,
        means.n_adjusted::bigint as n_adjusted,
        means.is_proportion,
        means.total_involved,
        means.total_not_involved,
        means.n_involved_key,
        means.total_involved_key,
        means.n_not_involved_key,
        means.total_not_involved_key,
        means.n_left_out_key
    from means
    left join intervals
        on
            means.school_year = intervals.school_year
            and means.district_id = intervals.district_id
            and means.group_type = intervals.group_type
            and means.group_value = intervals.group_value
            and means.program_group = intervals.program_group
            and means.involvement = intervals.involvement
            and means.measure = intervals.measure

)

select * from gaps
