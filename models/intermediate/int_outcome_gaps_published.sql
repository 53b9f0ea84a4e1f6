-- How the gaps are published: as they are, coded at the ends, or hidden whole.
with

gaps as (

    select * from {{ ref('int_outcome_gaps') }}

),

gap_suppression as (

    select * from {{ ref('int_gap_suppression') }}

),

suppression as (

    select * from {{ ref('suppression') }}

),

decided as (

    select
        gaps.*,
        gap_suppression.is_coded,
        not gap_suppression.is_coded
        and gap_suppression.is_needed as is_suppressed,
        not gap_suppression.is_needed as is_open,
        -- The coverage tells how many students the adjusted gap leaves out.
        gaps.n_involved + gaps.n_not_involved - gaps.n_adjusted > 0
        and gaps.n_involved + gaps.n_not_involved - gaps.n_adjusted
        < suppression.smallest_published_count as is_small_remainder,
        case
            when gap_suppression.is_coded and gap_suppression.is_end_involved
                then
                    least(
                        greatest(
                            gaps.value_involved, suppression.lowest_published_share
                        ),
                        suppression.highest_published_share
                    )
        end as coded_involved,
        case
            when gap_suppression.is_coded and gap_suppression.is_end_not_involved
                then
                    least(
                        greatest(
                            gaps.value_not_involved, suppression.lowest_published_share
                        ),
                        suppression.highest_published_share
                    )
        end as coded_not_involved
    from gaps
    inner join gap_suppression
        on
            gaps.school_year = gap_suppression.school_year
            and gaps.district_id = gap_suppression.district_id
            and gaps.group_type = gap_suppression.group_type
            and gaps.group_value = gap_suppression.group_value
            and gaps.program_group = gap_suppression.program_group
            and gaps.involvement = gap_suppression.involvement
            and gaps.measure = gap_suppression.measure
    cross join suppression

),

-- What would undo a code is left out: the gap with its interval, and the share of the
-- others, whose numerator taken from everybody's is the coded one's.
published as (

    select
        school_year,
        district_id,
        group_type,
        group_value,
        program_group,
        involvement,
        measure,
        case when not is_suppressed then n_involved end as n_involved,
        case when not is_suppressed then n_not_involved end as n_not_involved,
        case when is_open then value_involved else coded_involved end as value_involved,
        case
            when is_open then value_not_involved else coded_not_involved
        end as value_not_involved,
        case when is_open then gap end as gap,
        case when is_open then ci_low end as ci_low,
        case when is_open then ci_high end as ci_high,
        case when is_open then adjusted_gap end as adjusted_gap,
        case when is_open and not is_small_remainder then adjusted_coverage end
            as adjusted_coverage,
        is_coded,
        is_suppressed
    from decided

)

select * from published
