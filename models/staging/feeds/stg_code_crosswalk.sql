-- With this index PostgreSQL skips the join when no query needs the code. Building it
-- drops the views that read it, so build them, too: stg_code_crosswalk+1.
{{ config(
    materialized='table',
    indexes=[{'columns': ['domain', 'partner_id', 'source_code'], 'unique': true}],
) }}

with

code_crosswalk as (

    select * from {{ ref('code_crosswalk') }}

),

code_standards as (

    select * from {{ ref('code_standards') }}

),

codes_of_standards as (

    select
        code_crosswalk.domain,
        code_standards.partner_id,
        code_crosswalk.source_code,
        code_crosswalk.code
    from code_crosswalk
    inner join code_standards
        on code_crosswalk.partner_id = code_standards.code_standard

),

-- A partner's own row wins.
codes_of_partners as (

    select
        domain,
        partner_id,
        source_code,
        coalesce(code_crosswalk.code, codes_of_standards.code) as code
    from code_crosswalk
    full join codes_of_standards using (domain, partner_id, source_code)

)

select * from codes_of_partners
