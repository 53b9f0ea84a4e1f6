with

calendar_days as (

    select * from {{ ref('int_calendar_days_accepted') }}

),

named_schools as (

    select * from {{ ref('int_schools_accepted') }}

),

spells as (

    select * from {{ ref('int_enrollment_spells') }}

),

-- Districts that report monthly totals send no calendar; their schools come from
-- spells.
mentions as (

    select
        district_id,
        school_code,
        school_name,
        calendar_date as mentioned_on
    from calendar_days
    union all
    select
        district_id,
        school_code,
        school_name,
        as_of_date as mentioned_on
    from named_schools
    union all
    select
        district_id,
        school_code,
        null as school_name,
        entry_date as mentioned_on
    from spells

),

schools as (

    select distinct on (mentions.district_id, mentions.school_code)
        {{ school_key('mentions') }} as school_key,
        mentions.district_id,
        mentions.school_code,
        mentions.school_name
    from mentions
    order by
        mentions.district_id,
        mentions.school_code,
        mentions.school_name is null,
        mentions.mentioned_on desc

)

select * from schools
