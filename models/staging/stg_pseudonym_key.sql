-- Ephemeral, so that the secret stands in no relation of its own.
{{ config(materialized='ephemeral') }}

with

pseudonym_key as (

    select * from {{ source('landing', 'pseudonym_key') }}

)

select * from pseudonym_key
