with

partners as (

    select * from {{ ref('stg_partners') }}

),

as_of as (

    select * from {{ ref('int_as_of') }}

),

agreed_purposes as (

    select distinct
        partners.partner_id,
        unnest(partners.purposes) as purpose
    from partners
    cross join as_of
    where
        as_of.as_of_date
        between partners.agreement_starts_on and partners.agreement_ends_on

)

select * from agreed_purposes
