{% test known_code(model) %}
{# Fails for each crosswalk row whose domain and code are not in `codes`. #}
select
    crosswalk.domain,
    crosswalk.partner_id,
    crosswalk.source_code,
    crosswalk.code
from {{ model }} as crosswalk
left join {{ ref('codes') }} as codes
    on
        crosswalk.domain = codes.domain
        and crosswalk.code = codes.code
where codes.code is null
{% endtest %}
