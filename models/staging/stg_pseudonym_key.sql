-- Ephemeral, so that no relation of its own contains the secret.
{{ config(materialized='ephemeral') }}

with

ledger as (

    select * from {{ source('landing', 'pseudonym_key') }}

),

pseudonym_key as (

    select
        case
            when is_in_environment
                then convert_to(current_setting('outcomes.pseudonym_key'), 'UTF8')
            else key
        end as key
    from ledger

)

select * from pseudonym_key
