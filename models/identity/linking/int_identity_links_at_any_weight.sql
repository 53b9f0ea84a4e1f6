-- A view, because only `outcomes link evaluate` reads it.
{{ config(materialized='view') }}

with

client_links as (

    select * from {{ ref('int_identity_client_links') }}

),

records as (

    select * from {{ ref('int_identity_records') }}

),

links_at_any_weight as (

    select
        records.record_id,
        client_links.person_id,
        case
            when client_links.decided_by <> 'reviewer' then client_links.match_weight
        end as match_weight
    from client_links
    inner join records on client_links.client_identity_id = records.identity_id
    where
        case client_links.decided_by
            when 'reviewer' then client_links.decision = 'link'
            else client_links.rule is null
        end

)

select * from links_at_any_weight
