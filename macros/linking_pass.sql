{#
    Linking is incremental: a pass takes up what changed since the last one. These macros
    say when it may not, and has to begin anew.
#}

{#
    What the content of the incremental tables depends on beside the records: the models,
    functions and seeds themselves. Another signature forces a full pass.
#}
{% macro linking_signature() -%}
    {%- set parts = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() | list + graph.functions.values() | list
            if node.resource_type == 'function'
            or node.resource_type == 'seed'
            and (node.name == 'code_crosswalk' or node.fqn[1] == 'identity')
            or 'incremental_linking' in node.tags -%}
            {%- do parts.append(node.name ~ node.checksum.checksum) -%}
        {%- endfor -%}
        {# A macro has no checksum. These say what a table holds, not how it is made. #}
        {%- for macro in (match_level, match_rule, blocking_keys, client_hash, student_key) -%}
            {%- do parts.append(macro.macro.macro_sql) -%}
        {%- endfor -%}
        {{ local_md5(parts | sort | join(' ')) }}
    {%- endif -%}
{%- endmacro %}

{# Whether somebody asked for `--full-refresh`. #}
{% macro is_full_refresh_asked() -%}
    {%- if execute %}{{ flags.FULL_REFRESH }}{% else %}false{% endif -%}
{%- endmacro %}

{#
    A table of the state of linking, or none before the first pass. Not a `ref`: the models
    that begin a pass read what the one before has left.
#}
{% macro linking_state(name) -%}
    {%- if execute -%}
        {%- do return(adapter.get_relation(
            this.database, generate_schema_name('identity', none), name
        )) -%}
    {%- endif -%}
{%- endmacro %}

{# Whether this pass begins anew. #}
{% macro is_full_pass() -%}
    {%- if execute -%}
        {%- set is_full = run_query('select is_full from ' ~ linking_state('int_identity_pass')) -%}
        {%- do return(is_full.columns[0].values()[0]) -%}
    {%- endif -%}
{%- endmacro %}

{#
    Whether this run makes every table of a pass. One that makes some of them again takes
    part of what changed for known.
#}
{% macro is_whole_pass() -%}
    {%- set whole = namespace(found=true) -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values()
            if 'incremental_linking' in node.tags and node.unique_id not in selected_resources -%}
            {%- set whole.found = false -%}
        {%- endfor -%}
    {%- endif -%}
    {{ whole.found }}
{%- endmacro %}

{#
    Overrides dbt's own: a model tagged `incremental_linking` is rebuilt in full when
    `int_identity_pass` says so, any other as always.
#}
{% macro should_full_refresh() %}
    {%- if 'incremental_linking' in model.tags and execute -%}
        {%- do return(is_full_pass()) -%}
    {%- endif -%}
    {%- set configured = config.get('full_refresh') -%}
    {%- do return(flags.FULL_REFRESH if configured is none else configured) -%}
{% endmacro %}

{#
    The hook of a table that looks up few of many rows. The planner takes reading a page to
    be dear, and out of order four times as dear, which holds for disks; these pages are in
    memory. And it gives a small table to one process, however much is looked up for it.
#}
{% macro expect_lookups() -%}
    set local random_page_cost = 0.1; set local seq_page_cost = 0.1;
    set local min_parallel_table_scan_size = 0
{%- endmacro %}

{#
    The hook of a table whose pass looks up the little that changed. A full one reads
    everything, and there a nested loop is never right, however few rows the planner expects.
#}
{% macro plan_for_pass() -%}
    {%- raw -%}
    {% if is_full_pass() %}set local enable_nestloop = off{% else %}{{ expect_lookups() }}{% endif %}
    {%- endraw -%}
{%- endmacro %}

{#
    The hook of a table that tells millions of rows apart in a full pass: hashing them in
    half a gibibyte takes half the time of sorting them on disk.
#}
{% macro hash_millions() -%}
    {{ '{% if is_full_pass() %}set local hash_mem_multiplier = 4{% endif %}' }}
{%- endmacro %}

{#
    The hook of a table that others are joined with by several columns together. From each
    by itself the planner expects far too few different rows, so that it hashes the 15
    million on the other side. PostgreSQL 18 looks at these statistics for that.
#}
{% macro know_combinations(columns) -%}
    {{ '{% if is_full_pass() %}create statistics (ndistinct) on ' ~ columns
        ~ ' from {{ this }}; analyze {{ this }}{% endif %}' }}
{%- endmacro %}

{#
    The hook of an incremental table before new rows are appended: the rows that a pass
    takes back go first, in the same transaction.
#}
{% macro delete_before_append(condition) -%}
    {{ '{% if is_incremental() %}delete from {{ this }} as this where ' ~ condition ~ '{% endif %}' }}
{%- endmacro %}

{#
    The same for the rows of identities that are gone, and of new ones: a model that runs
    twice in a pass shall not append them twice.
#}
{% macro delete_gone_and_new() -%}
    {{ delete_before_append(
        "this.identity_id in (
            select identity_id from {{ ref('int_identity_gone') }}
            union all
            select identity_id from {{ ref('int_identity_new_tuples') }}
        )"
    ) }}
{%- endmacro %}

{# The same for pairs that are formed anew, or no more. #}
{% macro delete_reblocked() -%}
    {{ delete_before_append(
        "this.student_identity_id in (
            select identity_id from {{ ref('int_identity_reblocked') }}
        )
        or this.other_identity_id in (
            select identity_id from {{ ref('int_identity_reblocked') }}
        )"
    ) }}
{%- endmacro %}

{#
    The hook of the first table that a pass changes, and of those that compare themselves
    with what the last pass left. Until the last table is done, no delivery counts as
    linked, so that a build that fails in between is followed by a full pass. So is one
    that makes only some of the tables.
#}
{% macro begin_linking_pass() -%}
    {% raw %}
    {% set linked = linking_state('int_identity_linked_deliveries') %}
    {% if linked is not none %}delete from {{ linked }}{% endif %}
    {% endraw %}
{%- endmacro %}
