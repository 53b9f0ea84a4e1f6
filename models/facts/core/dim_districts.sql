with

partners as (

    select * from {{ ref('stg_partners') }}

),

districts as (

    select
        partner_id as district_id,
        aun,
        partner_name as district_name,
        agreement_starts_on,
        agreement_ends_on
    from partners
    where partner_kind = 'district'

)

select * from districts
