{#
    Runs on the target `prod` are recorded in publishing.runs, and a complete `dbt build`
    that passed is published. Functions in the database do the work (runs.sql and
    publications.sql in scripts/outcomes/publishing); docs/architecture.md explains it.
#}

{# The hooks of dbt_project.yml also run for commands that only read, such as `test`. #}
{% macro is_writing() -%}
    {{ return(execute and flags.WHICH in ('build', 'run', 'seed', 'snapshot', 'clone')) }}
{%- endmacro %}

{% macro is_recorded() -%}
    {{ return(is_writing() and target.name == 'prod') }}
{%- endmacro %}

{% macro begin_run() -%}
    {%- if is_writing() -%}
        {%- do require_release() -%}
        {%- do refuse_other_session_settings() -%}
        {%- do refuse_a_day_before_the_first_delivery() -%}
        {%- if target.name == 'prod' and var('as_of') and not var('publish') -%}
            {{ exceptions.raise_compiler_error(
                "A build as of " ~ var('as_of') ~ " would replace what people read. Use the "
                ~ "target dev, or set the variable publish to true."
            ) }}
        {%- endif -%}
        {%- do refuse_to_build_over_published() -%}
    {%- endif -%}
    {%- if is_recorded() -%}
        {%- set code, policy, links = [], [], [] -%}
        {%- for node in graph.nodes.values() if node.resource_type in ('model', 'seed') -%}
            {%- if node.resource_type == 'model' -%} {%- do code.append(node.checksum.checksum) -%}
            {%- elif node.fqn[1] == 'identity' -%} {%- do links.append(node.checksum.checksum) -%}
            {%- else -%} {%- do policy.append(node.checksum.checksum) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- for function in graph.functions.values() -%}
            {%- do code.append(function.checksum.checksum) -%}
        {%- endfor -%}
        {%- set code_digest = local_md5(code | sort | join)[:12] -%}
        {# A query instead of the hook's text, so that an error ends the run at once. #}
        {%- do run_query(
            "select publishing.begin_run('" ~ invocation_id ~ "', '" ~ flags.WHICH ~ "', '"
            ~ env_var('OUTCOMES_CODE_VERSION', 'models ' ~ code_digest) ~ "', '"
            ~ code_digest ~ "', '" ~ local_md5(policy | sort | join)[:12] ~ "', '"
            ~ local_md5(links | sort | join)[:12] ~ "')"
        ) -%}
    {%- endif -%}
    {%- if is_writing() -%}
        {%- do drop_selected_views() -%}
        commit
    {%- endif -%}
{%- endmacro %}

{#
    Two threads that replace two tables of a view would each drop the view, too, and could
    wait for each other: a deadlock.
#}
{% macro drop_selected_views() -%}
    {%- for node in graph.nodes.values() -%}
        {%- if node.unique_id in selected_resources and node.config.materialized == 'view' -%}
            {%- set view = adapter.get_relation(node.database, node.schema, node.alias) -%}
            {%- if view -%} {%- do adapter.drop_relation(view) -%} {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{# `outcomes` also compares the text of the functions and the tables of raw. #}
{% macro require_release() -%}
    {%- set query -%}
        select to_regclass('landing.files') is null, to_regclass('warehouse.migrations') is null
    {%- endset -%}
    {%- set is_empty, has_no_migrations = run_query(query).rows[0].values() -%}
    {%- if is_empty -%}
        {{ exceptions.raise_compiler_error(
            "Nothing has landed here: run `outcomes land` or `outcomes warehouse start` first."
        ) }}
    {%- endif -%}
    {%- set newest -%}
        select max(left(script, 4)) from warehouse.migrations where script ~ '^[0-9]{4}_'
    {%- endset -%}
    {%- set newest = 0 if has_no_migrations else run_query(newest).rows[0][0] | int -%}
    {%- if newest < var('ledger') -%}
        {{ exceptions.raise_compiler_error(
            "The warehouse is of an earlier release: run `outcomes warehouse upgrade` first."
        ) }}
    {%- elif newest > var('ledger') -%}
        {{ exceptions.raise_compiler_error(
            "The warehouse is of a later release than this code: update the code, `git pull`."
        ) }}
    {%- endif -%}
{%- endmacro %}

{# `outcomes build` sets what a server, database or login may have set differently. #}
{% macro refuse_other_session_settings() -%}
    {%- set query -%}
        select
            current_setting('transaction_isolation'),
            current_setting('search_path'),
            to_regproc('dmetaphone') is not null
    {%- endset -%}
    {%- set isolation, search_path, finds_extension = run_query(query).rows[0] -%}
    {%- if isolation != 'read committed' or not finds_extension -%}
        {{ exceptions.raise_compiler_error(
            "Sessions have the isolation " ~ isolation ~ " and the search_path " ~ search_path
            ~ ". Expected read committed, and the schema of the extension fuzzystrmatch: run "
            ~ "`outcomes build`, or for dbt alone set PGOPTIONS="
            ~ '"-c default_transaction_isolation=read\\ committed -c search_path=public".'
        ) }}
    {%- endif -%}
{%- endmacro %}

{# Such a build would pass without any rows. #}
{% macro refuse_a_day_before_the_first_delivery() -%}
    {%- if var('as_of') -%}
        {%- set query -%}
            select min(as_of_date)::text from landing.files where status = 'loaded'
        {%- endset -%}
        {%- set first = run_query(query).rows[0][0] -%}
        {%- if first and var('as_of') | string < first -%}
            {{ exceptions.raise_compiler_error(
                "On " ~ var('as_of') ~ " nothing had been delivered. Expected an as-of date of "
                ~ first ~ ", the first delivery, or later."
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{# Otherwise dbt would replace public tables by tables without grants. #}
{% macro refuse_to_build_over_published() -%}
    {%- if target.name != 'prod' and run_query(
        "select to_regclass('" ~ generate_schema_name('marts', none) ~ ".publications')"
    ).rows[0][0] is not none -%}
        {{ exceptions.raise_compiler_error(
            "What people read is published here, and the target " ~ target.name
            ~ " would build over it. Use dev or prod."
        ) }}
    {%- endif -%}
{%- endmacro %}

{#
    A `dbt build` of all models and rows. Unit tests may be left out: they test code and
    read no rows of the warehouse.
#}
{% macro is_complete() -%}
    {%- set options = invocation_args_dict -%}
    {%- set incomplete = namespace(found=flags.WHICH != 'build') -%}
    {%- for option in (
        'select', 'exclude', 'selector', 'resource_types', 'empty', 'sample'
    ) if options.get(option) -%}
        {%- set incomplete.found = true -%}
    {%- endfor -%}
    {%- for node in graph.nodes.values() | list + graph.functions.values() | list
        if node.resource_type in ('model', 'seed', 'snapshot', 'test', 'function')
        and node.unique_id not in selected_resources -%}
        {%- set incomplete.found = true -%}
    {%- endfor -%}
    {{ return(not incomplete.found) }}
{%- endmacro %}

{% macro finish_run(results, as_of) -%}
    {%- if is_recorded() -%}
        {%- set counts = {} -%}
        {%- set failed = [] -%}
        {%- for result in results -%}
            {%- set status = result.status | string -%}
            {%- do counts.update({status: counts.get(status, 0) + 1}) -%}
            {%- if status not in ('success', 'pass', 'warn', 'no-op') -%}
                {%- do failed.append(result) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- set outcome = 'failed' if failed else 'passed' if is_complete() else 'partial' -%}
        {%- set named = failed | rejectattr('status', 'eq', 'skipped')
            | map(attribute='node.name') | list -%}
        {%- set relations = [] -%}
        {%- for node in graph.nodes.values()
            if outcome == 'passed'
            and node.resource_type == 'model' and node.access == 'public' -%}
            {%- do relations.append({
                'schema': node.config.schema,
                'relation': node.alias,
                'readers': node.config.grants.get('select', []),
                'district_column': node.config.meta.get('district_column', ''),
            }) -%}
        {%- endfor -%}
        select publishing.finish_run(
            '{{ invocation_id }}',
            '{{ outcome }}',
            {{ '(select as_of_date from ' ~ as_of ~ ')' if outcome == 'passed' else 'null' }},
            '{{ tojson(counts) }}',
            '{{ tojson(relations) }}'
        );
        update publishing.runs
        set failed_nodes = nullif(string_to_array('{{ named | join(",") }}', ','), '{}')
        where run_id = '{{ invocation_id }}';
        commit
    {%- endif -%}
{%- endmacro %}

{% macro publish_run() -%}
    {%- if is_recorded() and status_of_run() == 'passed' -%}
        select publishing.publish_run(
            '{{ invocation_id }}', '{{ var("accept_loss") | replace("'", "''") }}'
        );
        commit
    {%- endif -%}
{%- endmacro %}

{% macro report_run() -%}
    {%- if is_recorded() -%}
        {%- set verdict = run_query("select publishing.verdict('" ~ invocation_id ~ "')") -%}
        {%- do log(verdict.rows[0][0], info=true) -%}
        {%- if status_of_run() == 'held' -%}
            {{ exceptions.raise_compiler_error(verdict.rows[0][0]) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{% macro status_of_run() -%}
    {%- set query -%}
        select status from publishing.runs where run_id = '{{ invocation_id }}'
    {%- endset -%}
    {%- do return(run_query(query).rows[0][0]) -%}
{%- endmacro %}
