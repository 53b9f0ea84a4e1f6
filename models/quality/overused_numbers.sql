with

overused as (

    select * from {{ ref('int_identity_identifiers') }}
    where not is_evidence

),

records as (

    select * from {{ ref('int_identity_records') }}
    where record_type = 'client'

),

overused_numbers as (

    select
        overused.identifier_type as number_type,
        overused.identifier as number,
        overused.people,
        overused.birth_years,
        count(*) as client_records
    from overused
    inner join records on overused.client_identity_id = records.identity_id
    group by
        overused.identifier_type,
        overused.identifier,
        overused.people,
        overused.birth_years

)

select * from overused_numbers
