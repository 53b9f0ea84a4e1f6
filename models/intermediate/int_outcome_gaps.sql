with

student_years as (

    select * from {{ ref('fct_student_years') }}

),

involvements as (

    select * from {{ ref('fct_student_year_involvements') }}

),

student_t_coefficients as (

    select * from {{ ref('student_t_coefficients') }}

),

-- Every student-year counts for its district and for all districts together.
measured as (

    select
        student_years.student_key,
        student_years.school_year,
        districts.district_id,
        measures.measure,
        measures.is_proportion,
        measures.value
    from student_years
    cross join
        lateral (
            values (student_years.district_id), ('all')
        ) as districts (district_id)
    cross join
        lateral (
            values
            ('attendance_rate', false, student_years.attendance_rate),
            (
                'is_chronically_absent_pde',
                true,
                student_years.is_chronically_absent_pde::int
            ),
            (
                'is_chronically_absent_federal',
                true,
                student_years.is_chronically_absent_federal::int
            ),
            ('gpa', false, student_years.gpa),
            ('is_proficient_math', true, student_years.is_proficient_math::int),
            ('is_proficient_reading', true, student_years.is_proficient_reading::int),
            (
                'promise_on_track_or_eligible',
                true,
                case
                    when student_years.promise_status in ('on_track', 'eligible') then 1
                    when
                        student_years.promise_status not in (
                            'not_applicable', 'unknown'
                        )
                        then 0
                end
            )
        ) as measures (measure, is_proportion, value)
    where measures.value is not null

),

involved as (

    select
        involvements.student_key,
        involvements.school_year,
        involvements.program_group,
        definitions.involvement
    from involvements
    cross join
        lateral (
            values
            ('ever', involvements.involved_ever),
            ('prior_year', involvements.involved_prior_year),
            ('concurrent', involvements.involved_concurrent)
        ) as definitions (involvement, is_involved)
    where definitions.is_involved

),

-- Involvement in any program counts once.
involved_or_any as (

    select * from involved
    union all
    select distinct
        student_key,
        school_year,
        'any' as program_group,
        involvement
    from involved

),

-- Not involved is everybody else, so the sums of the involved are taken from the total.
-- Sums are exact decimals: nothing is lost by the subtraction.
totals as (

    select
        school_year,
        district_id,
        measure,
        is_proportion,
        count(*) as n,
        sum(value) as total,
        sum(value * value) as total_squares
    from measured
    group by school_year, district_id, measure, is_proportion

),

involved_totals as (

    select
        measured.school_year,
        measured.district_id,
        measured.measure,
        involved_or_any.program_group,
        involved_or_any.involvement,
        count(*) as n,
        sum(measured.value) as total,
        sum(measured.value * measured.value) as total_squares
    from measured
    inner join involved_or_any
        on
            measured.student_key = involved_or_any.student_key
            and measured.school_year = involved_or_any.school_year
    group by
        measured.school_year,
        measured.district_id,
        measured.measure,
        involved_or_any.program_group,
        involved_or_any.involvement

),

program_groups as (

    select program_group from {{ ref('program_groups') }}
    union all
    select 'any' as program_group

),

involvement_definitions as (

    select involvement
    from (values ('ever'), ('prior_year'), ('concurrent')) as definitions (involvement)

),

compared as (

    select
        totals.school_year,
        totals.district_id,
        program_groups.program_group,
        involvement_definitions.involvement,
        totals.measure,
        totals.is_proportion,
        coalesce(involved_totals.n, 0) as n_involved,
        totals.n - coalesce(involved_totals.n, 0) as n_not_involved,
        coalesce(involved_totals.total, 0) as total_involved,
        totals.total - coalesce(involved_totals.total, 0) as total_not_involved,
        coalesce(involved_totals.total_squares, 0) as squares_involved,
        totals.total_squares
        - coalesce(involved_totals.total_squares, 0) as squares_not_involved
    from totals
    cross join program_groups
    cross join involvement_definitions
    left join involved_totals
        on
            totals.school_year = involved_totals.school_year
            and totals.district_id = involved_totals.district_id
            and totals.measure = involved_totals.measure
            and program_groups.program_group = involved_totals.program_group
            and involvement_definitions.involvement = involved_totals.involvement

),

means as (

    select
        compared.*,
        total_involved / nullif(n_involved, 0) as value_involved,
        total_not_involved / nullif(n_not_involved, 0) as value_not_involved,
        total_involved / nullif(n_involved, 0)
        - total_not_involved / nullif(n_not_involved, 0) as gap
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
        means.program_group,
        means.involvement,
        means.measure,
        means.n_involved,
        means.n_not_involved,
        means.value_involved,
        means.value_not_involved,
        means.gap,
        intervals.ci_low,
        intervals.ci_high
    from means
    left join intervals
        on
            means.school_year = intervals.school_year
            and means.district_id = intervals.district_id
            and means.program_group = intervals.program_group
            and means.involvement = intervals.involvement
            and means.measure = intervals.measure

)

select * from gaps
