with

codes_used as (

    select * from {{ ref('int_codes_used') }}

),

unmapped_codes as (

    select
        partner_id,
        feed_column,
        domain,
        source_code,
        rows_affected,
        first_as_of_date,
        last_as_of_date
    from codes_used
    where code is null

)

select * from unmapped_codes
