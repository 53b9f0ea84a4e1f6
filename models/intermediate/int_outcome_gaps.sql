with

strata as (

    select * from {{ ref('int_outcome_gap_strata') }}

),

student_t_coefficients as (

    select * from {{ ref('student_t_coefficients') }}

),

-- Every student-year counts for its district and for all districts together; a school
-- belongs to a district.
compared as (

    select
        strata.school_year,
        districts.district_id,
        strata.group_type,
        strata.group_value,
        strata.program_group,
        strata.involvement,
        strata.measure,
        strata.is_proportion,
        sum(strata.n_involved) as n_involved,
        sum(strata.n_not_involved) as n_not_involved,
        sum(strata.total_involved) as total_involved,
        sum(strata.total_not_involved) as total_not_involved,
        sum(strata.squares_involved) as squares_involved,
        sum(strata.squares_not_involved) as squares_not_involved,
        -- Direct standardization: a stratum weighs as much as it has students of both
        -- kinds; one without either kind has no difference to weigh.
        coalesce(
            sum(strata.n_involved + strata.n_not_involved) filter (
                where strata.n_involved > 0 and strata.n_not_involved > 0
            ),
            0
        ) as n_adjusted,
        sum(
            (strata.n_involved + strata.n_not_involved)
            * (
                strata.total_involved / nullif(strata.n_involved, 0)
                - strata.total_not_involved / nullif(strata.n_not_involved, 0)
            )
        ) as weighted_gaps
    from strata
    cross join
        lateral (
            values (strata.district_id), ('all')
        ) as districts (district_id)
    where strata.group_type <> 'school' or districts.district_id <> 'all'
    group by
        strata.school_year,
        districts.district_id,
        strata.group_type,
        strata.group_value,
        strata.program_group,
        strata.involvement,
        strata.measure,
        strata.is_proportion

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

-- Newcombe (1998), method 10: from Wilson's intervals, no continuity correction.
wilson_bounds as (

    select
        means.*,
        {{ function('wilson_bound') }}(value_involved, n_involved, -1) as low_involved,
        {{ function('wilson_bound') }}(value_involved, n_involved, 1) as high_involved,
        {{ function('wilson_bound') }}(value_not_involved, n_not_involved, -1)
            as low_not_involved,
        {{ function('wilson_bound') }}(value_not_involved, n_not_involved, 1)
            as high_not_involved
    from means
    where is_proportion and n_involved > 0 and n_not_involved > 0

),

proportions as (

    select
        school_year,
        district_id,
        group_type,
        group_value,
        program_group,
        involvement,
        measure,
        gap - sqrt(
            (value_involved - low_involved) ^ 2
            + (high_not_involved - value_not_involved) ^ 2
        ) as ci_low,
        gap + sqrt(
            (high_involved - value_involved) ^ 2
            + (value_not_involved - low_not_involved) ^ 2
        ) as ci_high
    from wilson_bounds

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
        cast(means.n_involved as bigint) as n_involved,
        cast(means.n_not_involved as bigint) as n_not_involved,
        cast(means.value_involved as double precision) as value_involved,
        cast(means.value_not_involved as double precision) as value_not_involved,
        cast(means.gap as double precision) as gap,
        intervals.ci_low,
        intervals.ci_high,
        cast(means.adjusted_gap as double precision) as adjusted_gap,
        cast(means.adjusted_coverage as double precision) as adjusted_coverage,
        cast(means.n_adjusted as bigint) as n_adjusted
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
