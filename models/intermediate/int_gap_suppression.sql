-- Which rows are hidden in the end. A row that is hidden hides others: those from which it
-- would follow, and so on. What can be reached from the rows that have to be hidden is
-- hidden, so no sum is left with a single hidden term, whatever hid the first of them.
with recursive

complementary as (

    select * from {{ ref('int_gap_complementary_suppression') }}

),

withheld_gaps as (

    select * from {{ ref('stg_withheld_gaps') }}

),

suppression as (

    select * from {{ ref('suppression') }}

),

withheld as (

    select
        complementary.*,
        withheld_gaps.school_year is not null as is_withheld
    from complementary
    left join withheld_gaps
        on
            complementary.school_year = withheld_gaps.school_year
            and complementary.district_id = withheld_gaps.district_id
            and complementary.group_type = withheld_gaps.group_type
            and complementary.group_value = withheld_gaps.group_value
            and complementary.program_group = withheld_gaps.program_group
            and complementary.involvement = withheld_gaps.involvement
            and complementary.measure = withheld_gaps.measure

),

-- Students of no known group are published nowhere; others have to protect them only
-- where they are few. A coded row shows its number of students.
gaps as (

    select
        withheld.*,
        row_number() over (
            order by
                school_year,
                district_id,
                group_type,
                group_value,
                program_group,
                involvement,
                measure
        ) as gap_number,
        case
            when is_published then is_withheld or (is_needed and not may_be_coded)
            else is_primary
        end as has_to_be_hidden,
        is_published and is_needed and may_be_coded and not is_withheld
            as has_to_be_coded
    from withheld

),

-- Districts add up to all of them, the groups of a district to the district.
parts as (

    select
        whole.gap_number as whole,
        'district' as part_type,
        part.gap_number as part
    from gaps as whole
    inner join gaps as part
        on
            whole.school_year = part.school_year
            and whole.group_type = part.group_type
            and whole.group_value = part.group_value
            and whole.program_group = part.program_group
            and whole.involvement = part.involvement
            and whole.measure = part.measure
    where whole.district_id = 'all' and part.district_id <> 'all'
    union all
    select
        whole.gap_number as whole,
        part.group_type as part_type,
        part.gap_number as part
    from gaps as whole
    inner join gaps as part
        on
            whole.school_year = part.school_year
            and whole.district_id = part.district_id
            and whole.program_group = part.program_group
            and whole.involvement = part.involvement
            and whole.measure = part.measure
    where
        whole.district_id <> 'all'
        and whole.group_type = 'all'
        and part.group_type <> 'all'

),

terms as (

    select
        whole,
        part_type,
        part as gap_number
    from parts
    union
    select
        whole,
        part_type,
        whole as gap_number
    from parts

),

-- What is hidden anyway protects best; then the smallest, and the sum itself comes last.
-- A group of all districts tells nothing that the districts do not: it comes first.
ordered_terms as (

    select
        terms.whole,
        terms.part_type,
        terms.gap_number,
        gaps.is_needed,
        gaps.has_to_be_hidden or gaps.is_published as needs_protection,
        row_number() over (
            partition by terms.whole, terms.part_type
            order by
                gaps.has_to_be_hidden desc,
                gaps.is_published asc,
                gaps.is_needed desc,
                terms.gap_number = terms.whole and gaps.group_type <> 'all' desc,
                terms.gap_number = terms.whole asc,
                least(gaps.n_involved, gaps.n - gaps.n_involved) > 0 desc,
                gaps.n asc,
                terms.gap_number asc
        ) as place
    from terms
    inner join gaps on terms.gap_number = gaps.gap_number

),

-- Each row is protected by the first other term of each sum. A coded one has been
-- protected where there is another that is needed.
within_sums as (

    select
        term.gap_number as hidden_gap,
        other.gap_number as hides_gap,
        not other.is_needed as is_for_coded
    from ordered_terms as term
    inner join ordered_terms as other
        on
            term.whole = other.whole
            and term.part_type = other.part_type
            and other.place = case when term.place = 1 then 2 else 1 end
    where term.needs_protection

),

-- Measures of nearly the same students would tell what another hides; a mean does not
-- tell a numerator.
across_measures as (

    select
        gaps.gap_number as hidden_gap,
        other.gap_number as hides_gap,
        true as is_for_coded
    from gaps
    cross join suppression
    inner join gaps as other
        on
            gaps.school_year = other.school_year
            and gaps.district_id = other.district_id
            and gaps.group_type = other.group_type
            and gaps.group_value = other.group_value
            and gaps.program_group = other.program_group
            and gaps.involvement = other.involvement
            and (
                (
                    gaps.measure in (
                        'attendance_rate',
                        'is_chronically_absent_federal',
                        'is_chronically_absent_pde'
                    )
                    and other.measure in (
                        'is_chronically_absent_federal', 'is_chronically_absent_pde'
                    )
                    and gaps.measure <> other.measure
                )
                or (
                    gaps.measure = 'gpa'
                    and other.measure = 'promise_on_track_or_eligible'
                    and gaps.n - other.n < suppression.smallest_published_count
                )
                or (
                    gaps.measure = 'promise_on_track_or_eligible'
                    and other.measure = 'gpa'
                    and gaps.has_small
                    and other.n - gaps.n < suppression.smallest_published_count
                )
            )
    where gaps.is_published and other.is_published

),

-- The groups of a hidden district would add up to it. The Promise is for the grades of
-- high school, whose grade-point averages would add up to it, too.
below_districts as (

    select
        gaps.gap_number as hidden_gap,
        other.gap_number as hides_gap,
        true as is_for_coded
    from gaps
    inner join gaps as other
        on
            gaps.school_year = other.school_year
            and gaps.district_id = other.district_id
            and gaps.program_group = other.program_group
            and gaps.involvement = other.involvement
            and (
                gaps.measure = other.measure
                or (
                    gaps.measure = 'promise_on_track_or_eligible'
                    and other.measure = 'gpa'
                    and other.group_type in ('grade_band', 'school')
                )
            )
    where
        gaps.group_type = 'all'
        and other.group_type <> 'all'
        and other.is_published

),

-- A group of all districts is shown where each district shows it: nothing new.
across_districts as (

    select
        gaps.gap_number as hidden_gap,
        parts.whole as hides_gap,
        true as is_for_coded
    from parts
    inner join gaps on parts.part = gaps.gap_number
    where parts.part_type = 'district' and gaps.group_type <> 'all'

),

consequences as (

    select * from within_sums
    union all
    select * from across_measures
    union all
    select * from below_districts
    union all
    select * from across_districts

),

hidden as (

    select gap_number
    from gaps
    where has_to_be_hidden
    union
    select consequences.hides_gap as gap_number
    from consequences
    inner join gaps on consequences.hidden_gap = gaps.gap_number
    where gaps.has_to_be_coded and consequences.is_for_coded
    union
    select consequences.hides_gap as gap_number
    from hidden
    inner join consequences on hidden.gap_number = consequences.hidden_gap

),

gap_suppression as (

    select
        gaps.school_year,
        gaps.district_id,
        gaps.group_type,
        gaps.group_value,
        gaps.program_group,
        gaps.involvement,
        gaps.measure,
        gaps.n,
        gaps.x,
        gaps.n_involved,
        gaps.x_involved,
        gaps.is_end_involved,
        gaps.is_end_not_involved,
        gaps.is_small_itself,
        gaps.is_primary,
        gaps.is_withheld,
        hidden.gap_number is not null or gaps.has_to_be_coded as is_needed,
        gaps.is_remembered,
        gaps.n_involved_before,
        gaps.x_involved_before,
        hidden.gap_number is null and gaps.has_to_be_coded as is_coded
    from gaps
    left join hidden on gaps.gap_number = hidden.gap_number
    where gaps.is_published

)

select * from gap_suppression
