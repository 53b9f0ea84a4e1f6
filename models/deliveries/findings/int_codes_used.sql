with

codes_sent as (

    select * from {{ ref('stg_codes_sent') }}

),

deliveries as (

    select distinct load_id from {{ ref('int_deliveries') }}

),

code_crosswalk as (

    select * from {{ ref('stg_code_crosswalk') }}

),

accepted_codes as (

    select
        codes_sent.domain,
        codes_sent.partner_id,
        codes_sent.feed_column,
        codes_sent.source_code,
        cast(sum(codes_sent.rows_affected) as bigint) as rows_affected,
        min(codes_sent.as_of_date) as first_as_of_date,
        max(codes_sent.as_of_date) as last_as_of_date
    from codes_sent
    inner join deliveries using (load_id)
    group by
        codes_sent.domain,
        codes_sent.partner_id,
        codes_sent.feed_column,
        codes_sent.source_code

),

codes_used as (

    select
        accepted_codes.domain,
        accepted_codes.partner_id,
        accepted_codes.feed_column,
        accepted_codes.source_code,
        code_crosswalk.code,
        accepted_codes.rows_affected,
        accepted_codes.first_as_of_date,
        accepted_codes.last_as_of_date
    from accepted_codes
    left join code_crosswalk using (domain, partner_id, source_code)

)

select * from codes_used
