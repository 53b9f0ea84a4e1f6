-- depends_on: {{ ref('int_identity_reblocked') }}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        tags='incremental_linking',
        pre_hook=delete_reblocked()
    )
}}

with

comparisons as (

    select * from {{ ref('int_identity_comparisons') }}

),

evidence as (

    select * from {{ ref('int_identity_evidence') }}

),

-- In whole trillionths of a bit: a floating-point sum depends on the order of its
-- terms, and decimals take longer.
sums as (

    select
        student_identity_id,
        other_identity_id,
        sum(cast(weight * 1e12 as bigint)) as weight
    from evidence
    {% if is_incremental() %}
    where
        student_identity_id in (
            select reblocked.identity_id
            from {{ ref('int_identity_reblocked') }} as reblocked
        )
        or other_identity_id in (
            select reblocked.identity_id
            from {{ ref('int_identity_reblocked') }} as reblocked
        )
    {% endif %}
    group by student_identity_id, other_identity_id

),

weights as (

    select
        comparisons.*,
        cast(sums.weight as double precision) / 1e12 as weight
    from sums
    inner join comparisons
        on
            sums.student_identity_id = comparisons.student_identity_id
            and sums.other_identity_id = comparisons.other_identity_id

)

select * from weights
