{#
    The key of the pseudonyms comes with the session, as the setting outcomes.pseudonym_key:
    what dbt reads from the environment it writes into its artifacts. A warehouse that was
    never given one has its own; once it was, that one is forgotten, so that a build without
    the key is refused instead of giving every child another pseudonym.
#}
{% macro take_pseudonym_key() -%}
    {%- if is_writing() and 'model.student_outcomes.pseudonyms' in selected_resources -%}
        {%- set query -%}
            select
                coalesce(length(current_setting('outcomes.pseudonym_key', true)), 0),
                bool_or(is_in_environment)
            from landing.pseudonym_key
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
        {%- elif length and not is_in_environment and target.name != 'dev' -%}
            {%- do run_query(
                "update landing.pseudonym_key set key = null, is_in_environment = true"
            ) -%}
            commit
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
