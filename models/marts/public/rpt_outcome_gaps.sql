with

gaps as (

    select * from {{ ref('int_outcome_gaps') }}

),

suppression as (

    select * from {{ ref('suppression') }}

),

-- A share discloses its numerator, so both sides of each share are counts too.
counted as (

    select
        gaps.*,
        gaps.measure not in ('attendance_rate', 'gpa') as is_proportion,
        suppression.smallest_published_count
    from gaps
    cross join suppression

),

flagged as (

    select
        counted.*,
        exists (
            select
            from (
                values
                (n_involved),
                (n_not_involved),
                (case when is_proportion then round(n_involved * value_involved) end),
                (
                    case
                        when is_proportion
                            then round(n_involved * (1 - value_involved))
                    end
                ),
                (
                    case
                        when is_proportion
                            then round(n_not_involved * value_not_involved)
                    end
                ),
                (
                    case
                        when is_proportion
                            then round(n_not_involved * (1 - value_not_involved))
                    end
                )
            ) as cells (n)
            where cells.n between 1 and counted.smallest_published_count - 1
        ) as is_suppressed
    from counted

),

outcome_gaps as (

    select
        school_year,
        district_id,
        program_group,
        involvement,
        measure,
        case when not is_suppressed then n_involved end as n_involved,
        case when not is_suppressed then n_not_involved end as n_not_involved,
        case when not is_suppressed then value_involved::float8 end as value_involved,
        case
            when not is_suppressed then value_not_involved::float8
        end as value_not_involved,
        case when not is_suppressed then gap::float8 end as gap,
        case when not is_suppressed then ci_low end as ci_low,
        case when not is_suppressed then ci_high end as ci_high,
        is_suppressed
    from flagged

)

select * from outcome_gaps
