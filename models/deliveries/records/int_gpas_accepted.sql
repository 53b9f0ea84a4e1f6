with

gpas as (

    select * from {{ ref('stg_gpas') }}

),

snapshots as (

    select * from {{ ref('int_snapshots') }}
    where feed = 'gpas'

),

student_ids as (

    select * from {{ ref('int_student_ids') }}

),

resolved as (

    select
        gpas.partner_id as district_id,
        student_ids.district_student_id,
        gpas.school_year,
        gpas.marking_period,
        gpas.gpa,
        gpas.weighted_gpa,
        gpas.line_number
    from gpas
    inner join snapshots
        on
            gpas.load_id = snapshots.load_id
            and gpas.school_year = snapshots.school_year
    {{ join_student_ids('gpas') }}

),

marking_periods as (

    select distinct on (district_id, district_student_id, school_year, marking_period)
        district_id,
        district_student_id,
        school_year,
        marking_period,
        gpa,
        weighted_gpa
    from resolved
    order by
        district_id,
        district_student_id,
        school_year,
        marking_period,
        line_number desc

)

select * from marking_periods
