-- The public figures of a measure and district, in words and in the measure's unit.
with

gaps as (

    select
        school_year,
        district_id,
        program_group,
        program_group_label,
        'all' as group_type,
        null as group_label,
        involvement,
        measure,
        released_on,
        value_involved,
        value_not_involved,
        gap,
        ci_low,
        ci_high,
        adjusted_gap,
        adjusted_coverage,
        is_suppressed,
        is_coded,
        n_involved,
        n_not_involved
    from rpt_outcome_gaps
    where is_complete_year
    union all
    select
        school_year,
        district_id,
        program_group,
        program_group_label,
        group_type,
        upper(left(group_label, 1)) || replace(substr(group_label, 2), '_', '-'),
        involvement,
        measure,
        released_on,
        value_involved,
        value_not_involved,
        gap,
        ci_low,
        ci_high,
        adjusted_gap,
        adjusted_coverage,
        is_suppressed,
        is_coded,
        n_involved,
        n_not_involved
    from rpt_outcome_gaps_by_group
    where is_complete_year and group_type <> 'school'
),

in_unit as (

    select
        gaps.*,
        (gaps.school_year - 1) || '–' || right(gaps.school_year::text, 2) as year,
        gaps.school_year = max(gaps.school_year) over () as is_newest,
        coalesce(districts.district_name, 'All districts') as district_name,
        group_types.position,
        outcome_measures.display_factor as factor,
        suppression.lowest_published_share as lowest,
        suppression.highest_published_share as highest,
        coalesce(' ' || outcome_measures.unit, '') as unit,
        ' ' || outcome_measures.gap_unit as gap_unit,
        outcome_measures.decimals - log(outcome_measures.display_factor)::integer as decimals,
        case
            when gaps.program_group <> 'any' then gaps.program_group_label
            when gaps.group_type = 'all' then 'All students'
            else group_types.group_type_label || ': ' || gaps.group_label
        end as students_or_services
    from gaps
    inner join outcome_measures using (measure)
    inner join group_types using (group_type)
    left join dim_districts as districts using (district_id)
    cross join suppression
    where measure = %(measure)s and involvement = %(involvement)s
),

-- Rounded, because a format would write a little less than zero as -0.0.
rounded as (

    select
        *,
        'FM990.' || repeat('0', decimals) as format,
        round((gap * factor)::numeric, decimals) as shown_gap,
        round((ci_low * factor)::numeric, decimals) as shown_low,
        round((ci_high * factor)::numeric, decimals) as shown_high,
        round((adjusted_gap * factor)::numeric, decimals) as shown_adjusted_gap
    from in_unit
)

select
    year,
    district_id,
    district_name as district,
    group_type,
    program_group,
    is_newest,
    released_on,
    students_or_services,
    not is_suppressed and value_involved is not null and value_not_involved is not null
        as is_known,
    coalesce(not is_coded and ci_low <= 0 and ci_high >= 0, false) as may_be_chance,
    -- Charts have no place for a bound.
    case
        when
            not is_suppressed
            and (not is_coded or (value_involved > lowest and value_involved < highest))
            then value_involved * factor
    end as involved,
    case
        when
            not is_suppressed
            and (not is_coded or (value_not_involved > lowest and value_not_involved < highest))
            then value_not_involved * factor
    end as others,
    case when is_suppressed then 'suppressed' else to_char(n_involved, 'FM999,999,990') end
        as students_with_services,
    case when is_suppressed then 'suppressed' else to_char(n_not_involved, 'FM999,999,990') end
        as other_students,
    case
        when is_suppressed then 'suppressed'
        when is_coded and value_involved <= lowest then (100 * lowest)::real || ' %% or less'
        when is_coded and value_involved >= highest then (100 * highest)::real || ' %% or more'
        else coalesce(to_char(value_involved * factor, format) || unit, 'no such student')
    end as value_with_services,
    case
        when is_suppressed then 'suppressed'
        when is_coded and value_not_involved <= lowest then (100 * lowest)::real || ' %% or less'
        when is_coded and value_not_involved >= highest then (100 * highest)::real || ' %% or more'
        else coalesce(to_char(value_not_involved * factor, format) || unit, 'no such student')
    end as value_of_others,
    case
        when is_suppressed then 'suppressed'
        else coalesce(to_char(shown_gap, 'SG' || format) || gap_unit, 'not shown')
    end as gap,
    -- Beside a bound, an interval would look like that of the bound.
    case
        when is_suppressed then 'suppressed'
        when is_coded then 'not shown'
        else coalesce(
            to_char(shown_low, 'SG' || format) || ' to '
            || to_char(shown_high, 'SG' || format),
            'not shown'
        )
    end as "95 %% interval",
    case
        when is_suppressed then 'suppressed'
        else coalesce(to_char(shown_adjusted_gap, 'SG' || format) || gap_unit, 'not shown')
    end as gap_among_similar_students,
    case
        when is_suppressed then 'suppressed'
        else coalesce(to_char(100 * adjusted_coverage, 'FM990 "%%"'), 'not shown')
    end as similar_students_found_for
from rounded
order by program_group <> 'any', position, students_or_services, school_year
