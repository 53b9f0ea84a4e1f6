{#
    The key of the pseudonyms is a setting of the session, outcomes.pseudonym_key,
    because dbt writes environment variables that it reads into its artifacts. A
    warehouse without a key from the environment has its own. The first publication with
    a key from the environment deletes it; from then on a build without the key is refused,
    because it would give every child another pseudonym. A build with another key is held.
#}
{% macro take_pseudonym_key() -%}
    {%- if is_writing() and target.name != 'dev'
        and 'model.student_outcomes.pseudonyms' in selected_resources -%}
        {%- set query -%}
            select
                coalesce(length(current_setting('outcomes.pseudonym_key', true)), 0),
                bool_or(is_in_environment)
            from privacy.pseudonym_key
        {%- endset -%}
        {%- set length, is_in_environment = run_query(query).rows[0] -%}
        {%- if length == 0 and is_in_environment -%}
            {{ exceptions.raise_compiler_error(
                "The pseudonyms of this warehouse have a key of yours. Set "
                ~ "OUTCOMES_PSEUDONYM_KEY for `outcomes build`; for dbt alone set PGOPTIONS="
                ~ '"-c outcomes.pseudonym_key=$OUTCOMES_PSEUDONYM_KEY", too.'
            ) }}
        {%- elif 0 < length < 32 -%}
            {{ exceptions.raise_compiler_error(
                "OUTCOMES_PSEUDONYM_KEY has " ~ length ~ " characters. Expected at least 32 "
                ~ "of a random text, for instance from `openssl rand -hex 32`."
            ) }}
        {%- endif -%}
        {%- if is_recorded() -%}
            update publishing.runs set key_fingerprint = privacy.key_fingerprint()
            where run_id = '{{ invocation_id }}';
            commit
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
