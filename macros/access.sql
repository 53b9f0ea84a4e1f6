{#
    dbt's own, for steps and seeds on `prod` only: nobody reads what stands in next_… before
    a publication grants it, nor a developer's schemas. Without the roles that do not exist:
    a warehouse builds before `outcomes access apply` has made them.
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
