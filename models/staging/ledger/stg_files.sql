-- Only this model decides which files of the ledger a build knows. It is a table, so
-- that a file that lands during a build appears in none of its models.
with

known_files as (

    select
        file_id,
        partner_id,
        contract_object,
        source_id,
        school_year,
        as_of_date,
        sent_at,
        received_at,
        file_name,
        sha256,
        duplicate_of,
        snapshot,
        feeds,
        status,
        reason_code,
        detail,
        rows_loaded,
        rows_in_snapshot,
        rows_rejected
    from {{ source('landing', 'files') }}
    {% if var('as_of') %}
    where as_of_date <= date '{{ var("as_of") }}'
    {% endif %}

)

select * from known_files
