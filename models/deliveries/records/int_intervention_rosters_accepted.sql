with

intervention_rosters as (

    select * from {{ ref('stg_intervention_rosters') }}

),

snapshots as (

    select * from {{ ref('int_snapshots') }}
    where feed = 'intervention_rosters'

),

partners as (

    select * from {{ ref('stg_partners') }}

),

-- A participation listed twice is one; the last line wins.
participants as (

    select distinct on (
        intervention_rosters.intervention_code,
        intervention_rosters.district_id,
        intervention_rosters.district_student_id,
        intervention_rosters.started_on
    )
        intervention_rosters.partner_id,
        snapshots.contract_object,
        snapshots.as_of_date,
        intervention_rosters.intervention_code,
        intervention_rosters.intervention_name,
        intervention_rosters.district_id,
        intervention_rosters.district_student_id,
        intervention_rosters.started_on,
        intervention_rosters.ended_on,
        districts.partner_id is not null as is_partner_district
    from intervention_rosters
    inner join snapshots using (load_id)
    left join partners as districts
        on
            intervention_rosters.district_id = districts.partner_id
            and districts.partner_kind = 'district'
    order by
        intervention_rosters.intervention_code,
        intervention_rosters.district_id,
        intervention_rosters.district_student_id,
        intervention_rosters.started_on,
        snapshots.as_of_date desc,
        intervention_rosters.line_number desc

)

select * from participants
