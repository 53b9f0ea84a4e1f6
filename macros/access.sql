{#
    Row-level security, in the transaction that makes the table; a publication copies it.
    docs/access.md says who sees what, and why. `all_rows` are the roles that see every row;
    with a `district_column` a district's role sees the district's own, and none of a table
    that lacks the column. Anyone else who is granted the table by mistake sees nothing. The
    policies look roles up by name, so that they can be made before the roles are.

    Plans would tell a district how often a value occurs in other districts' rows; without
    statistics on the columns they cannot.
#}
{% macro row_level_security(relation, all_rows, district_column) %}
    {% if all_rows %}
alter table {{ relation }} enable row level security;
create policy all_rows on {{ relation }} for select using (
    exists (
        select from pg_catalog.pg_roles
        where
            rolname in ('{{ all_rows | join("', '") }}')
            and pg_catalog.pg_has_role(oid, 'usage')
    )
);
        {% set columns = adapter.get_columns_in_relation(relation) %}
        {% if district_column in columns | map(attribute='name') | list %}
create policy own_rows on {{ relation }} for select using (
    {{ district_column }} in (
        select substring(rolname from '^outcomes_district_(.+)$')
        from pg_catalog.pg_roles
        where pg_catalog.pg_has_role(oid, 'usage')
    )
);
alter table {{ relation }}
            {% for column in columns %}
    alter {{ column.quoted }} set statistics 0{{ ',' if not loop.last }}
            {% endfor %};
        {% endif %}
    {% endif %}
{% endmacro %}

{#
    dbt's own, without the roles that do not exist: a warehouse builds before
    `outcomes access apply` has made them, and where nobody may make any.
#}
{% macro postgres__apply_grants(relation, grant_config, should_revoke=True) %}
    {% set known = run_query('select rolname from pg_catalog.pg_roles').columns[0].values() %}
    {% set grants = {} %}
    {% for privilege, roles in grant_config.items() %}
        {% do grants.update({privilege: roles | select('in', known) | list}) %}
    {% endfor %}
    {% do return(default__apply_grants(relation, grants, should_revoke)) %}
{% endmacro %}
