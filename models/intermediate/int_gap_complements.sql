-- How many rows of a family are hidden, so that the sum of the family gives none away.
with

families as (

    select * from {{ ref('int_gap_families') }}

),

suppression as (

    select * from {{ ref('suppression') }}

),

-- Rows are hidden in their order: those that have to be, then the smallest. The sum of
-- what is hidden is known: the published sum less the published rows.
hidden_sums as (

    select
        families.*,
        sum(x_involved) over by_place as sum_x,
        sum(n_involved - x_involved) over by_place as sum_y,
        sum(x_low) over by_place as sum_x_low,
        sum(x_high) over by_place as sum_x_high,
        sum(y_low) over by_place as sum_y_low,
        sum(y_high) over by_place as sum_y_high,
        sum(x - x_involved) over by_place as sum_other_x,
        sum(n - n_involved - x + x_involved) over by_place as sum_other_y,
        sum(other_x_low) over by_place as sum_other_x_low,
        sum(other_x_high) over by_place as sum_other_x_high,
        sum(other_y_low) over by_place as sum_other_y_low,
        sum(other_y_high) over by_place as sum_other_y_high
    from families
    where n_mandatory > 0
    window
        by_place as (
            partition by
                school_year, parent_id, group_type, measure, program_group, involvement
            order by place
        )

),

-- What somebody could work out of each row, if the rows up to a place were hidden.
derived as (

    select
        hidden_sums.school_year,
        hidden_sums.parent_id,
        hidden_sums.group_type,
        hidden_sums.measure,
        hidden_sums.program_group,
        hidden_sums.involvement,
        hidden_sums.place,
        rows_hidden.is_share,
        least(
            rows_hidden.x_high,
            hidden_sums.sum_x - hidden_sums.sum_x_low + rows_hidden.x_low
        )
        - greatest(
            rows_hidden.x_low,
            hidden_sums.sum_x - hidden_sums.sum_x_high + rows_hidden.x_high
        ) as x_width,
        least(
            rows_hidden.y_high,
            hidden_sums.sum_y - hidden_sums.sum_y_low + rows_hidden.y_low
        )
        - greatest(
            rows_hidden.y_low,
            hidden_sums.sum_y - hidden_sums.sum_y_high + rows_hidden.y_high
        ) as y_width,
        least(
            rows_hidden.other_x_high,
            hidden_sums.sum_other_x
            - hidden_sums.sum_other_x_low
            + rows_hidden.other_x_low
        )
        - greatest(
            rows_hidden.other_x_low,
            hidden_sums.sum_other_x
            - hidden_sums.sum_other_x_high
            + rows_hidden.other_x_high
        ) as other_x_width,
        least(
            rows_hidden.other_y_high,
            hidden_sums.sum_other_y
            - hidden_sums.sum_other_y_low
            + rows_hidden.other_y_low
        )
        - greatest(
            rows_hidden.other_y_low,
            hidden_sums.sum_other_y
            - hidden_sums.sum_other_y_high
            + rows_hidden.other_y_high
        ) as other_y_width
    from hidden_sums
    inner join families as rows_hidden
        on
            hidden_sums.school_year = rows_hidden.school_year
            and hidden_sums.parent_id = rows_hidden.parent_id
            and hidden_sums.group_type = rows_hidden.group_type
            and hidden_sums.measure = rows_hidden.measure
            and hidden_sums.program_group = rows_hidden.program_group
            and hidden_sums.involvement = rows_hidden.involvement
            and hidden_sums.place >= rows_hidden.place
    where
        hidden_sums.place >= greatest(hidden_sums.n_mandatory, 2)
        and rows_hidden.is_mandatory

),

places as (

    select
        derived.school_year,
        derived.parent_id,
        derived.group_type,
        derived.measure,
        derived.program_group,
        derived.involvement,
        derived.place,
        bool_and(
            least(derived.x_width, derived.other_x_width)
            >= suppression.smallest_published_count
            and (
                not derived.is_share
                or least(derived.y_width, derived.other_y_width)
                >= suppression.smallest_published_count
            )
        ) as is_safe
    from derived
    cross join suppression
    group by
        derived.school_year,
        derived.parent_id,
        derived.group_type,
        derived.measure,
        derived.program_group,
        derived.involvement,
        derived.place

),

first_safe as (

    select
        school_year,
        parent_id,
        group_type,
        measure,
        program_group,
        involvement,
        min(place) as place
    from places
    where is_safe
    group by
        school_year, parent_id, group_type, measure, program_group, involvement

),

gap_complements as (

    select distinct
        families.school_year,
        families.parent_id,
        families.group_type,
        families.measure,
        families.program_group,
        families.involvement,
        families.has_small,
        -- Where nothing is safe the sum has to be hidden, or everything below it.
        case
            when first_safe.place is not null then first_safe.place
            when families.n_mandatory = 0 then 0
            when families.group_type = 'all' then families.n_mandatory
            else families.n_members
        end as n_hidden,
        families.is_parent_closed,
        families.is_parent_closed
        or (
            families.n_mandatory > 0
            and first_safe.place is null
            and families.group_type = 'all'
        ) as is_parent_hidden
    from families
    left join first_safe
        on
            families.school_year = first_safe.school_year
            and families.parent_id = first_safe.parent_id
            and families.group_type = first_safe.group_type
            and families.measure = first_safe.measure
            and families.program_group = first_safe.program_group
            and families.involvement = first_safe.involvement

)

select * from gap_complements
