with

numbers as (

    select * from {{ ref('int_identity_numbers') }}
    where not is_evidence

),

records as (

    select * from {{ ref('int_identity_records') }}
    where record_type = 'client'

),

overused_numbers as (

    select
        numbers.number_type,
        numbers.number,
        numbers.people,
        numbers.birth_years,
        count(*) as client_records
    from numbers
    inner join records on numbers.client_identity_id = records.identity_id
    group by
        numbers.number_type,
        numbers.number,
        numbers.people,
        numbers.birth_years

)

select * from overused_numbers
