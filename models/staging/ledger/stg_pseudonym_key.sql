-- Ephemeral, so that no relation of its own contains the secret.
{{ config(materialized='ephemeral') }}

with

{% if target.name == 'dev' -%}
-- Developers may not read the key.
pseudonym_key as (

    select sha256('development') as key

)
{%- else -%}
ledger as (

    select * from {{ source('privacy', 'pseudonym_key') }}

),

pseudonym_key as (

    select
        coalesce(
            convert_to(
                nullif(current_setting('outcomes.pseudonym_key', true), ''), 'UTF8'
            ),
            key
        ) as key
    from ledger

)
{%- endif %}

select * from pseudonym_key
