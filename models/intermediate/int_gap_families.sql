-- Rows that add up to another published row are a family: the districts add up to
-- `all`, the groups of a district to the district.
with

counts as (

    select * from {{ ref('int_gap_primary_suppression') }}

),

suppression as (

    select * from {{ ref('suppression') }}

),

members as (

    select
        counts.*,
        case
            when counts.group_type = 'all' then 'all' else counts.district_id
        end as parent_id,
        case
            when counts.group_type = 'all'
                then counts.district_id
            else counts.group_value
        end as member_id
    from counts
    where counts.district_id <> 'all'

),

-- Everybody of a member, involved or not, is the sum of each of its rows. Members where
-- that is a small count are closed: they are hidden in every row.
totals as (

    select
        school_year,
        parent_id,
        group_type,
        measure,
        member_id,
        n,
        x,
        bool_or(is_small_total) as is_small_total
    from members
    group by school_year, parent_id, group_type, measure, member_id, n, x

),

ordered_totals as (

    select
        totals.*,
        row_number() over by_size as place,
        count(*) over (by_size rows between unbounded preceding and current row)
            as n_members,
        sum(n) over (by_size rows between unbounded preceding and current row) as sum_n,
        sum(x) over (by_size rows between unbounded preceding and current row) as sum_x,
        count(*) filter (where is_small_total) over family as n_small
    from totals
    window
        family as (partition by school_year, parent_id, group_type, measure),
        by_size as (
            partition by school_year, parent_id, group_type, measure
            order by is_small_total desc, n asc, member_id asc
        )

),

-- The smallest follow, until what is hidden together may be known.
last_closed as (

    select
        ordered_totals.school_year,
        ordered_totals.parent_id,
        ordered_totals.group_type,
        ordered_totals.measure,
        min(ordered_totals.n_small) as n_small,
        min(ordered_totals.place) filter (
            where
            ordered_totals.place >= greatest(ordered_totals.n_small, 2)
            and ordered_totals.sum_n >= suppression.smallest_published_count
            and (
                ordered_totals.sum_x >= suppression.smallest_published_count
            )
            and (
                ordered_totals.measure in ('attendance_rate', 'gpa')
                or ordered_totals.sum_n - ordered_totals.sum_x
                >= suppression.smallest_published_count
            )
        ) as place
    from ordered_totals
    cross join suppression
    where ordered_totals.n_small > 0
    group by
        ordered_totals.school_year,
        ordered_totals.parent_id,
        ordered_totals.group_type,
        ordered_totals.measure

),

-- Where no such place exists, the districts keep theirs and `all` is closed instead;
-- the groups of a district are closed together.
closures as (

    select
        ordered_totals.school_year,
        ordered_totals.parent_id,
        ordered_totals.group_type,
        ordered_totals.measure,
        ordered_totals.member_id,
        last_closed.n_small is not null
        and ordered_totals.place <= coalesce(
            last_closed.place,
            case
                when ordered_totals.group_type = 'all' then last_closed.n_small
                else 1000000
            end
        ) as is_closed,
        last_closed.n_small is not null and last_closed.place is null
            as is_parent_closed
    from ordered_totals
    left join last_closed
        on
            ordered_totals.school_year = last_closed.school_year
            and ordered_totals.parent_id = last_closed.parent_id
            and ordered_totals.group_type = last_closed.group_type
            and ordered_totals.measure = last_closed.measure

),

-- What is published of the same students elsewhere bounds a row: from above the wider
-- definition and the row of any program, from below the narrower definitions and the
-- programs of a row of any. A row that is hidden for its own counts is not known and
-- bounds nothing.
bounds as (

    select
        members.*,
        {% for count, value in [
            ('x', 'members.x_involved'),
            ('y', 'members.n_involved - members.x_involved'),
        ] %}
        least(
            case
                when members.involvement <> 'ever'
                    then
                        min({{ value }}) filter (
                            where
                            members.involvement = 'ever' and not members.is_primary
                        ) over same_program
            end,
            case
                when members.program_group <> 'any'
                    then
                        min({{ value }}) filter (
                            where
                            members.program_group = 'any' and not members.is_primary
                        ) over same_definition
            end
        ) as {{ count }}_involved_max,
        greatest(
            case
                when members.involvement = 'ever'
                    then
                        max({{ value }}) filter (
                            where
                            members.involvement <> 'ever' and not members.is_primary
                        ) over same_program
            end,
            case
                when members.program_group = 'any'
                    then
                        max({{ value }}) filter (
                            where
                            members.program_group <> 'any' and not members.is_primary
                        ) over same_definition
            end
        ) as {{ count }}_involved_min,
        {% endfor %}
        closures.is_closed,
        closures.is_parent_closed
    from members
    inner join closures
        on
            members.school_year = closures.school_year
            and members.parent_id = closures.parent_id
            and members.group_type = closures.group_type
            and members.measure = closures.measure
            and members.member_id = closures.member_id
    window
        same_program as (
            partition by
                members.school_year,
                members.parent_id,
                members.group_type,
                members.measure,
                members.member_id,
                members.program_group
        ),
        same_definition as (
            partition by
                members.school_year,
                members.parent_id,
                members.group_type,
                members.measure,
                members.member_id,
                members.involvement
        )

),

-- The least and the most that a row's numerator and the rest of its denominator can be
-- for somebody who knows everybody's outcomes, and the number of the involved unless
-- that is hidden itself.
boxes as (

    select
        bounds.*,
        is_closed
        or is_primary
        or is_remembered
        or is_end_involved
        or is_end_not_involved as is_mandatory,
        case
            when is_closed then 0
            when is_small or not is_share then coalesce(x_involved_min, 0)
            else greatest(0, n_involved - (n - x), x_involved_min)
        end as x_low,
        least(
            case
                when is_closed then sum(x) filter (where is_closed) over family
                when is_small or not is_share then x
                else least(x, n_involved)
            end,
            x_involved_max
        ) as x_high,
        case
            when is_closed then 0
            when is_small or not is_share then coalesce(y_involved_min, 0)
            else greatest(0, n_involved - x, y_involved_min)
        end as y_low,
        least(
            case
                when is_closed then sum(n - x) filter (where is_closed) over family
                when is_small then n - x
                else least(n - x, n_involved)
            end,
            y_involved_max
        ) as y_high
    from bounds
    window
        family as (
            partition by
                school_year, parent_id, group_type, measure, program_group, involvement
        )

),

-- The same of the students who are not involved. Of a closed member it is not known how
-- many students there are at all.
others as (

    select
        boxes.*,
        case when is_closed then 0 else x - x_high end as other_x_low,
        case
            when is_closed then sum(x) filter (where is_closed) over family
            else x - x_low
        end as other_x_high,
        case when is_closed then 0 else n - x - y_high end as other_y_low,
        case
            when is_closed then sum(n - x) filter (where is_closed) over family
            else n - x - y_low
        end as other_y_high
    from boxes
    window
        family as (
            partition by
                school_year, parent_id, group_type, measure, program_group, involvement
        )

),

gap_families as (

    select
        others.*,
        row_number() over (
            partition by
                school_year, parent_id, group_type, measure, program_group, involvement
            order by
                is_mandatory desc,
                least(n_involved, n - n_involved) > 0 desc,
                n asc,
                member_id asc
        ) as place,
        count(*) filter (where is_mandatory) over (
            partition by
                school_year, parent_id, group_type, measure, program_group, involvement
        ) as n_mandatory,
        count(*) over (
            partition by
                school_year, parent_id, group_type, measure, program_group, involvement
        ) as n_members,
        bool_or(is_small) over (
            partition by
                school_year, parent_id, group_type, measure, program_group, involvement
        ) as has_small
    from others

)

select * from gap_families
