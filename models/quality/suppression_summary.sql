with

gap_suppression as (

    select
        int_gap_suppression.*,
        is_needed and not is_coded and (is_primary or not is_remembered)
            as is_complementary
    from {{ ref('int_gap_suppression') }} as int_gap_suppression

),

-- Each reason counts what the ones before it leave.
suppression_summary as (

    select
        school_year,
        case when district_id = 'all' then 'all' else 'district' end as scope,
        group_type,
        measure,
        cast(count(*) as integer) as gaps,
        cast(count(*) filter (where is_small_itself) as integer) as primary_only,
        cast(
            count(*) filter (where is_complementary and not is_small_itself) as integer
        ) as complementary,
        cast(
            count(*) filter (where is_remembered and not is_primary) as integer
        ) as remembered,
        cast(count(*) filter (where is_coded) as integer) as coded,
        cast(round(avg(cast(is_small_itself as integer)), 4) as numeric(5, 4))
            as primary_only_share,
        cast(
            round(
                avg(cast(is_needed and not is_coded as integer)), 4
            ) as numeric(5, 4)
        ) as hidden_share
    from gap_suppression
    group by
        school_year,
        case when district_id = 'all' then 'all' else 'district' end,
        group_type,
        measure

)

select * from suppression_summary
