{#
    Overrides dbt's macro: grants only the steps and seeds on `prod`. Relations in
    next_… get grants when they are published, and development schemas get none. Roles
    that do not exist are skipped, because a warehouse may build before `outcomes access
    apply`.
#}
{% macro postgres__apply_grants(relation, grant_config, should_revoke=True) %}
    {% set grants = {} %}
    {% if target.name == 'prod' and not relation.schema.startswith('next_') %}
        {% set known = run_query('select rolname from pg_catalog.pg_roles').columns[0].values() %}
        {% for privilege, roles in grant_config.items() %}
            {% do grants.update({privilege: roles | select('in', known) | list}) %}
        {% endfor %}
    {% endif %}
    {% do return(default__apply_grants(relation, grants, should_revoke)) %}
{% endmacro %}
