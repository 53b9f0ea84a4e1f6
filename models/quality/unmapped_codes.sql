with

codes_used as (

    select * from {{ ref('stg_codes_used') }}

),

code_crosswalk as (

    select * from {{ ref('code_crosswalk') }}

),

unmapped_codes as (

    select
        codes_used.partner_id,
        codes_used.feed_column,
        codes_used.domain,
        codes_used.source_code,
        codes_used.rows_affected,
        codes_used.first_as_of_date,
        codes_used.last_as_of_date
    from codes_used
    left join code_crosswalk
        on
            codes_used.domain = code_crosswalk.domain
            and codes_used.partner_id = code_crosswalk.partner_id
            and codes_used.source_code = code_crosswalk.source_code
    where code_crosswalk.code is null

)

select * from unmapped_codes
